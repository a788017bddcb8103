"""The rows of a run: which are trained on, which are held out, always in the same order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from trainingrun_trainer.config import (
    BUILTIN_PYTHON_STDLIB,
    Columns,
    Data,
    DataFormat,
    RunConfig,
    TaskType,
)
from trainingrun_trainer.tasks import text_files
from trainingrun_trainer.tasks.data import formats, stdlib
from trainingrun_trainer.tasks.data.row import Row
from trainingrun_trainer.tasks.text_files import TextFile


@dataclass(frozen=True)
class Table:
    """Rows of files, one file after another. `percent` are held out by a hash of where a row
    stands; `held_out` says which side this is. Iterating reads the files anew."""

    task: TaskType
    files: tuple[TextFile, ...]
    columns: Columns
    format: DataFormat | None = None
    builtin: bool = False
    percent: int = 0
    held_out: bool = False
    at_most: int | None = None

    def __iter__(self) -> Iterator[Row]:
        return islice(self._own(), self.at_most)

    def _own(self) -> Iterator[Row]:
        for file in self.files:
            if self.builtin:
                read: Iterator[formats.Located] = stdlib.examples(self.task, file)
            else:
                read = formats.rows(file.path, self.format)
            for number, (where, values) in enumerate(read):
                place = where if self.builtin else f"{file.name}:{number}"
                if not self.percent or self._drawn(place) == self.held_out:
                    yield Row(where, values, self.columns)

    def _drawn(self, name: str) -> bool:
        digest = hashlib.sha256(name.encode()).digest()
        return int.from_bytes(digest[:8], "big") % 100 < self.percent


def split(config: RunConfig) -> tuple[Table, Table]:
    """The rows to train on and the rows held out, which may be none.

    Raises:
        UserError: a source has no files.
    """
    data, task, columns = config.data, config.task.type, config.data.columns or Columns()

    def table(source: str, files: tuple[TextFile, ...]) -> Table:
        builtin = source == BUILTIN_PYTHON_STDLIB
        return Table(task, files, columns, data.format, builtin)

    if data.evaluation is not None:
        files = text_files.split(data)
        train = table(data.train, files.train)
        held_out = table(data.evaluation, files.evaluation)
    else:
        files = text_files.split(_whole(data))
        train = replace(table(data.train, files.train), percent=data.evaluation_percent or 0)
        held_out = replace(train, held_out=True, files=train.files if train.percent else ())
    return replace(train, at_most=data.max_samples), held_out


def _whole(data: Data) -> Data:
    """The data with nothing held out by files: tables are split by rows."""
    return data.model_copy(update={"evaluation_percent": None})

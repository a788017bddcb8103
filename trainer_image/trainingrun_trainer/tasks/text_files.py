"""Text from files: which ones, in which order, and which are held out."""

from __future__ import annotations

import hashlib
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trainingrun_trainer.config import BUILTIN_PYTHON_STDLIB, Columns, Data, DataFormat
from trainingrun_trainer.errors import UserError
from trainingrun_trainer.tasks.data import formats
from trainingrun_trainer.tasks.data.row import Row

_EVERY_FILE: Final = "**/*"
_NOT_STDLIB_TEXT: Final = frozenset(
    {"site-packages", "dist-packages", "test", "tests", "idlelib", "__pycache__"}
)
"""Installed packages are not the library; tests are a third of it and largely tables."""


@dataclass(frozen=True)
class TextFile:
    """A file and the name that its place in the order and its side of the split hang on."""

    name: str
    path: Path
    size: int
    modified_ns: int
    """Nanoseconds since the epoch."""

    @classmethod
    def at(cls, path: Path, name: str) -> TextFile:
        """The file as it is now.

        Raises:
            OSError: it is not there.
        """
        seen = path.stat()
        return cls(name, path, seen.st_size, seen.st_mtime_ns)

    @property
    def draw(self) -> int:
        """A number that looks random and is the same everywhere."""
        return int.from_bytes(hashlib.sha256(self.name.encode()).digest()[:8], "big")


@dataclass(frozen=True)
class Split:
    """Training and held-out files, each in a fixed order."""

    train: tuple[TextFile, ...]
    evaluation: tuple[TextFile, ...]


def split(data: Data) -> Split:
    """The files of a run.

    Raises:
        UserError: a source has no text, or nothing is left for one side.
    """
    files = _listed(data.train, data.files, "spec.data.train")
    held_out: tuple[TextFile, ...] = ()
    if data.evaluation is not None:
        held_out = _listed(data.evaluation, data.files, "spec.data.evaluation")
    elif data.evaluation_percent is not None:
        percent = data.evaluation_percent
        held_out = tuple(f for f in files if f.draw % 100 < percent)
        files = tuple(f for f in files if f.draw % 100 >= percent)
        if not held_out or not files:
            raise UserError(
                f"{len(files) + len(held_out)} files are too few to hold out {percent} percent of "
                "them; give spec.data.evaluation instead",
                "spec.data.evaluationPercent",
            )
    if data.max_megabytes is not None:
        files = tuple(_first_bytes(files, data.max_megabytes * 1_000_000))
    return Split(files, held_out)


def texts(files: Sequence[TextFile], data: Data) -> Iterator[str]:
    """The files' texts, or those in the text column of tables. Of texts, what is not UTF-8 is
    replaced, and binary files are left out.

    Raises:
        UserError: a file cannot be read, or a row of it has no text.
    """
    columns = data.columns or Columns()
    for file in files:
        if formats.of(file.path, data.format) is not DataFormat.TEXT:
            for where, values in formats.rows(file.path, data.format):
                yield Row(where, values, columns).text("text")
            continue
        try:
            content = file.path.read_bytes()
        except OSError as error:
            raise UserError(f"{file.path}: {error.strerror}", "spec.data.train") from error
        if b"\0" not in content:
            yield content.decode(errors="replace")


def _listed(source: str, pattern: str, field: str) -> tuple[TextFile, ...]:
    """The files of a source, in the order of their draws, so that any part is a fair sample."""
    if source == BUILTIN_PYTHON_STDLIB:
        root = Path(sysconfig.get_path("stdlib"))
        pattern = "**/*.py" if pattern == _EVERY_FILE else pattern
        paths = [
            p
            for p in root.glob(pattern)
            if not _NOT_STDLIB_TEXT & set(p.relative_to(root).parts) and p.is_file()
        ]
    else:
        root = Path(source)
        if root.is_file():
            return (TextFile.at(root, root.name),)
        if not root.is_dir():
            raise UserError(f"{source} does not exist in the pod", field)
        try:
            paths = [p for p in root.glob(pattern) if p.is_file()]
        except (ValueError, NotImplementedError) as error:
            raise UserError(f"{pattern!r} is no pattern: {error}", "spec.data.files") from error
    files = [TextFile.at(path, str(path.relative_to(root))) for path in paths]
    files = [f for f in files if f.size]
    if not files:
        raise UserError(f"{source} has no files that match {pattern!r}", field)
    return tuple(sorted(files, key=lambda f: (f.draw, f.name)))


def _first_bytes(files: Sequence[TextFile], limit: int) -> Iterator[TextFile]:
    """Files from the front until they hold `limit` bytes; one at least."""
    total = 0
    for file in files:
        if total and total + file.size > limit:
            return
        total += file.size
        yield file

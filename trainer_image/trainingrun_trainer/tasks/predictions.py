"""Predictions of all ranks in one file, in the order of the examples."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

from trainingrun_trainer.files import sync_folder
from trainingrun_trainer.worker.distributed import Group

FILE_NAME: Final = "predictions.jsonl"
"""In the run's folder: what the last evaluation predicted, a JSON object for each example."""


def write_part(folder: Path, group: Group, own: Iterable[Mapping[str, Any]]) -> None:
    """Writes this rank's predictions. Ranks hand them over by the folder they share, not through
    the process group: they may be larger than any message should be."""
    path = _part(folder, group.rank)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(prediction) + "\n" for prediction in own)
        file.flush()
        os.fsync(file.fileno())


def merge(folder: Path, world_size: int) -> Path:
    """One file of the parts of all ranks, which were dealt the examples in turn. For rank 0."""
    target = folder / FILE_NAME
    draft = target.with_name(f".{FILE_NAME}")
    with draft.open("w", encoding="utf-8") as file:
        parts = [_lines(_part(folder, rank)) for rank in range(world_size)]
        for turn in zip_longest(*parts):
            file.writelines(line for line in turn if line is not None)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(target)
    sync_folder(folder)
    shutil.rmtree(_part(folder, 0).parent)
    return target


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The predictions of a file."""
    for line in _lines(path):
        yield json.loads(line)


def _part(folder: Path, rank: int) -> Path:
    return folder / ".predictions" / f"{rank}.jsonl"


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        yield from file

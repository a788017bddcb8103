"""A checkpoint's manifest: what belongs to it and what it holds. Pure, but for reading files."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import Field

from trainingrun_trainer.report import CheckpointRecord
from trainingrun_trainer.rules import Group

FILE_NAME: Final = "manifest.json"
_FOLDER: Final = re.compile(r"checkpoint-(\d+)")


class FileEntry(Group):
    """One file of a checkpoint, by its path relative to the folder."""

    path: str
    size_bytes: int = Field(ge=0)
    sha256: str


class Manifest(Group):
    """Written last: a folder without one is not a checkpoint."""

    step: int = Field(ge=0)
    samples: int = Field(ge=0, description="Samples consumed so far, all ranks together.")
    world_size: int = Field(ge=1)
    global_batch: int = Field(ge=1)
    run_uid: str = ""
    written_at: datetime
    versions: dict[str, str] = Field({}, description="Libraries that wrote it.")
    files: tuple[FileEntry, ...]

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)

    def record(self, folder: Path) -> CheckpointRecord:
        """The ledger's line for a verified checkpoint."""
        return CheckpointRecord(
            step=self.step,
            path=str(folder),
            size_bytes=self.size_bytes,
            world_size=self.world_size,
        )


def list_files(folder: Path) -> tuple[FileEntry, ...]:
    """The files of a checkpoint, hashed, in the order of their names; the manifest is not one."""
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != FILE_NAME)
    return tuple(
        FileEntry(
            path=str(path.relative_to(folder)),
            size_bytes=path.stat().st_size,
            sha256=file_hash(path),
        )
        for path in paths
    )


def file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def step_of(folder: Path) -> int | None:
    """The step in the folder's name; None if it is not named like a checkpoint."""
    match = _FOLDER.fullmatch(folder.name)
    return int(match[1]) if match else None

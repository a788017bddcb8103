"""Writes a checkpoint that can be trusted: its files first, its manifest last."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from trainingrun_trainer.checkpoints.manifest import FILE_NAME, Manifest, list_files
from trainingrun_trainer.checkpoints.resume import surplus
from trainingrun_trainer.files import sync_folder, write_whole


@dataclass(frozen=True)
class Origin:
    """What a manifest says of where its files come from."""

    step: int
    world_size: int
    global_batch: int
    run_uid: str
    versions: dict[str, str]

    @property
    def folder_name(self) -> str:
        return f"checkpoint-{self.step}"


def save(root: Path, origin: Origin, fill: Callable[[Path], None], keep: int) -> Manifest:
    """Has `fill` write the files into the checkpoint's folder, seals it, lets old ones go.

    Raises:
        OSError: something could not be written. What was written is gone again, so that it takes
            no room; earlier checkpoints are as they were.
        Exception: whatever else `fill` raises, with the same care.
    """
    folder = root / origin.folder_name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        fill(folder)
        manifest = seal(folder, origin)
    except Exception:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    rotate(root, keep)
    return manifest


def seal(
    folder: Path, origin: Origin, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Manifest:
    """Makes the files durable, then writes the manifest, last.

    Raises:
        OSError: something could not be written; the folder then has no manifest.
    """
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())
    sync_folder(folder)
    manifest = Manifest(
        step=origin.step,
        samples=origin.step * origin.global_batch,
        world_size=origin.world_size,
        global_batch=origin.global_batch,
        run_uid=origin.run_uid,
        written_at=now(),
        versions=origin.versions,
        files=list_files(folder),
    )
    write_whole(folder / FILE_NAME, manifest.model_dump_json(by_alias=True, indent=1).encode())
    return manifest


def rotate(root: Path, keep: int) -> None:
    """Deletes finished checkpoints beyond the newest `keep`. The manifest goes first, so that a
    deletion cut short leaves something that is plainly no checkpoint."""
    for folder in surplus(root, keep):
        (folder / FILE_NAME).unlink()
        shutil.rmtree(folder)

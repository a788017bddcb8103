"""Turns what Trainer has saved into a checkpoint that can be trusted."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from trainingrun_trainer.checkpoints.manifest import FILE_NAME, Manifest, list_files
from trainingrun_trainer.checkpoints.resume import surplus
from trainingrun_trainer.files import sync_folder, write_whole


def seal(
    folder: Path,
    *,
    step: int,
    world_size: int,
    global_batch: int,
    run_uid: str,
    versions: dict[str, str],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Manifest:
    """Makes the files durable, then writes the manifest, last. For rank 0, after all have saved.

    Raises:
        OSError: something could not be written; the folder then has no manifest.
    """
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())
    sync_folder(folder)
    manifest = Manifest(
        step=step,
        samples=step * global_batch,
        world_size=world_size,
        global_batch=global_batch,
        run_uid=run_uid,
        written_at=now(),
        versions=versions,
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

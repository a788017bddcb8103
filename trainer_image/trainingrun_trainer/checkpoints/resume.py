"""Which checkpoint to resume from. Damaged ones are set aside, never deleted."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trainingrun_trainer.checkpoints.manifest import Manifest, step_of
from trainingrun_trainer.checkpoints.verify import DamagedCheckpointError, read, verified
from trainingrun_trainer.files import move
from trainingrun_trainer.report import CheckpointRecord

SET_ASIDE: Final = "set-aside"


@dataclass(frozen=True)
class Choice:
    """The newest verified checkpoint, if any, and what was found on the way to it."""

    folder: Path | None
    manifest: Manifest | None
    set_aside: tuple[CheckpointRecord, ...] = ()


def folders(root: Path) -> list[Path]:
    """The folders named like checkpoints, newest step first."""
    if not root.is_dir():
        return []
    found = [(step, p) for p in root.iterdir() if (step := step_of(p)) is not None]
    return [path for _, path in sorted(found, reverse=True)]


def newest_verified(root: Path) -> Choice:
    """The checkpoint to resume from; newer ones that do not verify are moved to `set-aside/`.

    Raises:
        OSError: a damaged one could not be moved.
    """
    records: list[CheckpointRecord] = []
    for folder in folders(root):
        try:
            return Choice(folder, verified(folder), tuple(records))
        except DamagedCheckpointError as damage:
            records.append(set_aside(folder, str(damage)))
    return Choice(None, None, tuple(records))


def set_aside(folder: Path, problem: str) -> CheckpointRecord:
    """Moves a checkpoint out of the way, under a name that is free.

    Raises:
        OSError: it could not be moved.
    """
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    try:
        world_size = read(folder).world_size
    except DamagedCheckpointError:
        world_size = 1
    target = folder.parent / SET_ASIDE / f"{folder.name}-{uuid.uuid4().hex[:8]}"
    move(folder, target)
    return CheckpointRecord(
        step=step_of(folder) or 0,
        path=str(target),
        size_bytes=size,
        world_size=world_size,
        verified=False,
        problem=problem[:1024],
    )


def surplus(root: Path, keep: int) -> list[Path]:
    """Finished checkpoints beyond the newest `keep`; unfinished ones neither count nor appear."""
    finished = []
    for folder in folders(root):
        try:
            read(folder)
        except DamagedCheckpointError:
            continue
        finished.append(folder)
    return finished[keep:]

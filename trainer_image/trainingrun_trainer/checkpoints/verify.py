"""Whether a folder holds what its manifest says."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from trainingrun_trainer.checkpoints.manifest import FILE_NAME, Manifest, file_hash, step_of


class DamagedCheckpointError(Exception):
    """The folder is no checkpoint to resume from; the message says why."""


def verified(folder: Path) -> Manifest:
    """The manifest of a checkpoint whose every file is whole.

    Raises:
        DamagedCheckpointError: something is missing or changed.
    """
    manifest = read(folder)
    if manifest.step != step_of(folder):
        raise DamagedCheckpointError(f"its manifest is for step {manifest.step}")
    for entry in manifest.files:
        path = folder / entry.path
        try:
            size = path.stat().st_size
            if size != entry.size_bytes:
                raise DamagedCheckpointError(
                    f"{entry.path} has {size} bytes instead of {entry.size_bytes}"
                )
            if file_hash(path) != entry.sha256:
                raise DamagedCheckpointError(f"the contents of {entry.path} have changed")
        except OSError as error:
            raise DamagedCheckpointError(f"{entry.path}: {error.strerror}") from error
    return manifest


def read(folder: Path) -> Manifest:
    """The manifest as written, its files not looked at.

    Raises:
        DamagedCheckpointError: there is none, or it cannot be read.
    """
    try:
        return Manifest.model_validate_json((folder / FILE_NAME).read_bytes())
    except FileNotFoundError as error:
        raise DamagedCheckpointError("it has no manifest: saving it was not finished") from error
    except (OSError, ValidationError) as error:
        raise DamagedCheckpointError(f"its manifest cannot be read: {error}") from error

"""Manifests, verification, the choice of what to resume from."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainingrun_trainer.checkpoints import resume, save
from trainingrun_trainer.checkpoints.verify import DamagedCheckpointError, verified


def checkpoint(root: Path, step: int, *, sealed: bool = True) -> Path:
    folder = root / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    (folder / "weights").write_bytes(b"w" * step)
    (folder / "optimizer").write_bytes(b"o" * step)
    if sealed:
        save.seal(folder, step=step, world_size=2, global_batch=8, run_uid="u", versions={})
    return folder


def test_a_sealed_checkpoint_verifies(tmp_path: Path) -> None:
    assert verified(checkpoint(tmp_path, 10)).samples == 80


def test_a_missing_file_is_damage(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path, 10)
    (folder / "optimizer").unlink()
    with pytest.raises(DamagedCheckpointError, match="optimizer: No such file"):
        verified(folder)


def test_a_cut_file_is_damage(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path, 10)
    (folder / "weights").write_bytes(b"w")
    with pytest.raises(DamagedCheckpointError, match="weights has 1 bytes instead of 10"):
        verified(folder)


def test_a_flipped_bit_is_damage(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path, 10)
    (folder / "weights").write_bytes(b"w" * 9 + b"v")
    with pytest.raises(DamagedCheckpointError, match="contents of weights have changed"):
        verified(folder)


def test_a_manifest_of_another_step_is_damage(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path, 10).rename(tmp_path / "checkpoint-20")
    with pytest.raises(DamagedCheckpointError, match="manifest is for step 10"):
        verified(folder)


def test_the_newest_whole_checkpoint_is_resumed_from(tmp_path: Path) -> None:
    checkpoint(tmp_path, 9)
    newest = checkpoint(tmp_path, 10)
    assert resume.newest_verified(tmp_path).folder == newest


def test_an_unfinished_checkpoint_is_set_aside_and_told_of(tmp_path: Path) -> None:
    checkpoint(tmp_path, 10)
    checkpoint(tmp_path, 20, sealed=False)
    (record,) = resume.newest_verified(tmp_path).set_aside
    assert (record.step, record.problem) == (20, "it has no manifest: saving it was not finished")


def test_what_is_set_aside_is_kept(tmp_path: Path) -> None:
    checkpoint(tmp_path, 20, sealed=False)
    (record,) = resume.newest_verified(tmp_path).set_aside
    assert (Path(record.path) / "weights").read_bytes() == b"w" * 20


def test_nothing_to_resume_from_is_no_error(tmp_path: Path) -> None:
    assert resume.newest_verified(tmp_path / "none").folder is None


def test_rotation_counts_finished_checkpoints_only(tmp_path: Path) -> None:
    for step in (1, 2, 3):
        checkpoint(tmp_path, step)
    checkpoint(tmp_path, 4, sealed=False)
    save.rotate(tmp_path, keep=2)
    assert [path.name for path in resume.folders(tmp_path)] == [
        "checkpoint-4",
        "checkpoint-3",
        "checkpoint-2",
    ]

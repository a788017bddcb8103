"""Manifests, verification, the choice of what to resume from."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from trainingrun_trainer.checkpoints import resume, save
from trainingrun_trainer.checkpoints.save import Origin
from trainingrun_trainer.checkpoints.verify import verified

FILES = (
    "model.safetensors",
    "optimizer.pt",
    "scheduler.pt",
    "rng_state_0.pth",
    "trainer_state.json",
)


def origin(step: int) -> Origin:
    return Origin(step=step, world_size=2, global_batch=8, run_uid="u", versions={})


def checkpoint(root: Path, step: int, *, sealed: bool = True) -> Path:
    folder = root / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    for name in FILES:
        (folder / name).write_bytes(b"." * step)
    if sealed:
        save.seal(folder, origin(step))
    return folder


def emptied(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def holding(name: str, content: bytes) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return damage


def with_the_manifest_of_step_10(folder: Path) -> None:
    shutil.copy(folder.parent / "checkpoint-10" / "manifest.json", folder)


DAMAGES = {
    "empty": (emptied, "it has no manifest: saving it was not finished"),
    "not sealed": (without("manifest.json"), "it has no manifest: saving it was not finished"),
    "manifest cut": (holding("manifest.json", b'{"step": 2'), "its manifest cannot be read: "),
    "manifest of another step": (with_the_manifest_of_step_10, "its manifest is for step 10"),
    "no state": (without("trainer_state.json"), "trainer_state.json: No such file or directory"),
    "weights cut": (
        holding("model.safetensors", b"." * 19),
        "model.safetensors has 19 bytes instead of 20",
    ),
    "optimizer cut": (holding("optimizer.pt", b""), "optimizer.pt has 0 bytes instead of 20"),
    # Trainer itself would go on without a word, with a fresh optimizer.
    "no optimizer": (without("optimizer.pt"), "optimizer.pt: No such file or directory"),
    "a bit flipped": (
        holding("model.safetensors", b"." * 19 + b"/"),
        "the contents of model.safetensors have changed",
    ),
}


def test_a_sealed_checkpoint_verifies(tmp_path: Path) -> None:
    assert verified(checkpoint(tmp_path, 10)).samples == 80


@pytest.mark.parametrize(("damage", "reason"), DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_checkpoint_is_told_of_and_gives_way_to_the_one_before(
    tmp_path: Path, damage: Callable[[Path], None], reason: str
) -> None:
    older, newest = checkpoint(tmp_path, 10), checkpoint(tmp_path, 20)
    damage(newest)
    choice = resume.newest_verified(tmp_path)
    (record,) = choice.set_aside
    assert (choice.folder, record.step, record.verified) == (older, 20, False)
    assert (record.problem or "").startswith(reason)


def test_the_newest_whole_checkpoint_is_resumed_from(tmp_path: Path) -> None:
    checkpoint(tmp_path, 9)
    newest = checkpoint(tmp_path, 10)
    assert resume.newest_verified(tmp_path).folder == newest


def test_what_is_set_aside_is_kept(tmp_path: Path) -> None:
    checkpoint(tmp_path, 20, sealed=False)
    (record,) = resume.newest_verified(tmp_path).set_aside
    assert (Path(record.path) / "model.safetensors").read_bytes() == b"." * 20


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

"""A run created again under its old name finds the same folder, and takes nothing of it for its
own."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainingrun_trainer.checkpoints import resume
from trainingrun_trainer.checkpoints.save import Origin, seal
from trainingrun_trainer.report import Summary
from trainingrun_trainer.state import RunState
from trainingrun_trainer.worker.finish import Finished, own_summary
from trainingrun_trainer.worker.owner import Owner
from trainingrun_trainer.worker.start import without_strangers

THIS_RUN = Owner("this", starts_anew=False)
OUTSIDE = Owner("", starts_anew=False)


def checkpoint(root: Path, step: int, uid: str) -> Path:
    folder = root / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    (folder / "weights").write_bytes(b"w")
    seal(folder, Origin(step, world_size=1, global_batch=8, run_uid=uid, versions={}))
    return folder


def finish(folder: Path, uid: str) -> None:
    """Leaves what a finished run leaves."""
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "weights").write_bytes(b"w")
    RunState(uid=uid).write(folder)
    finished = Finished(uid=uid, summary=Summary(steps=7))
    (folder / "summary.json").write_text(finished.model_dump_json(by_alias=True))


@pytest.mark.parametrize(
    ("owner", "uid", "own"),
    [
        (THIS_RUN, "this", True),
        (THIS_RUN, "other", False),
        (THIS_RUN, "", False),
        (OUTSIDE, "", True),
        (OUTSIDE, "other", False),
        # A pod that starts again belongs to its run, whatever the run was to start from.
        (Owner("this", starts_anew=True), "this", True),
        (Owner("", starts_anew=True), "", False),
    ],
)
def test_a_run_knows_its_own_by_uid(owner: Owner, uid: str, own: bool) -> None:
    assert owner.made(uid) is own


def test_a_strangers_checkpoint_is_set_aside_with_the_reason(tmp_path: Path) -> None:
    checkpoint(tmp_path, 10, "other")
    (record,) = without_strangers(tmp_path, THIS_RUN)
    assert record.problem == "left by an earlier run of this name (uid other)"


def test_a_strangers_checkpoint_is_kept_whole(tmp_path: Path) -> None:
    checkpoint(tmp_path, 10, "other")
    (record,) = without_strangers(tmp_path, THIS_RUN)
    assert (Path(record.path) / "weights").read_bytes() == b"w"


def test_a_strangers_later_checkpoint_does_not_hide_an_own_one(tmp_path: Path) -> None:
    own = checkpoint(tmp_path, 10, "this")
    checkpoint(tmp_path, 99, "other")
    without_strangers(tmp_path, THIS_RUN)
    assert resume.folders(tmp_path) == [own]


def test_outside_a_cluster_resume_none_sets_aside_what_was_there(tmp_path: Path) -> None:
    checkpoint(tmp_path, 10, "")
    (record,) = without_strangers(tmp_path, Owner("", starts_anew=True))
    assert record.problem == "left by an earlier run; spec.resume.from is not latest"


def test_a_run_that_was_finished_is_known_by_its_summary(tmp_path: Path) -> None:
    finish(tmp_path, "this")
    assert own_summary(tmp_path, THIS_RUN) == Summary(steps=7)


def test_another_runs_summary_does_not_finish_this_one(tmp_path: Path) -> None:
    finish(tmp_path, "other")
    assert own_summary(tmp_path, THIS_RUN) is None


def test_another_runs_model_is_kept_aside(tmp_path: Path) -> None:
    finish(tmp_path, "other")
    own_summary(tmp_path, THIS_RUN)
    (kept,) = (tmp_path / "set-aside").iterdir()
    assert sorted(path.name for path in kept.iterdir()) == ["model", "summary.json"]


def test_an_own_model_without_a_summary_stays_to_be_replaced(tmp_path: Path) -> None:
    finish(tmp_path, "this")
    (tmp_path / "summary.json").unlink()
    own_summary(tmp_path, THIS_RUN)
    assert (tmp_path / "model").is_dir()

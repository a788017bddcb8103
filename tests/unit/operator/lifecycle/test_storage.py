"""StorageFull comes with a checkpoint that cannot be saved, and goes with a later one."""

from __future__ import annotations

from typing import Any

from tests.unit.operator.lifecycle.seen import NOW, after, job, pod, seen
from trainingrun_operator.api.conditions import ConditionType, Phase
from trainingrun_operator.api.status import Condition, Status
from trainingrun_operator.lifecycle.observed import ReceivedReport
from trainingrun_trainer.report import Report

PROBLEM = "the storage is full (No space left on device): no checkpoint was saved"


def after_report(status: Status | None = None, saved: int = 10, **block: Any) -> Status:
    """The status of a running run after a report."""
    path = f"/runs/squad/checkpoint-{saved}"
    record = {"step": saved, "path": path, "sizeBytes": 1, "worldSize": 2}
    document = {
        "trainerStatus": {},
        "trainingRun": {"step": 25, "totalSteps": 40, "checkpoints": [record], **block},
    }
    report = ReceivedReport(Report.model_validate(document), NOW)
    return after(seen(job("Running"), pod(), status=status, report=report))


def storage_full(status: Status) -> Condition | None:
    return next((c for c in status.conditions if c.type is ConditionType.STORAGE_FULL), None)


def test_a_run_that_saves_says_nothing_of_storage() -> None:
    assert storage_full(after_report()) is None


def test_a_checkpoint_that_could_not_be_saved_is_told_with_the_mend() -> None:
    told = storage_full(after_report(storageProblem=PROBLEM))
    assert told is not None
    assert (told.status, told.reason) == ("True", "CheckpointNotSaved")
    assert told.message.startswith(f"{PROBLEM}; the checkpoints before are whole. Make room")


def test_a_run_whose_storage_is_full_still_runs() -> None:
    assert after_report(storageProblem=PROBLEM).phase is Phase.RUNNING


def test_a_restart_alone_does_not_say_that_checkpoints_are_saved_again() -> None:
    full = after_report(storageProblem=PROBLEM)
    told = storage_full(after_report(full))
    assert told is not None
    assert told.status == "True"


def test_a_later_checkpoint_ends_it() -> None:
    full = after_report(storageProblem=PROBLEM)
    told = storage_full(after_report(full, saved=30))
    assert told is not None
    assert (told.status, told.reason) == ("False", "CheckpointSaved")

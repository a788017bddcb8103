"""Which changes of the status may wait for the next pod."""

from __future__ import annotations

from trainingrun_operator.api.status import Phase, Restarts, Status, WorkerCounts
from trainingrun_operator.lifecycle.account import workers_are_changing


def counted(running: int, **fields: object) -> Status:
    workers = WorkerCounts(desired=4, running=running, summary=f"{running}/4")
    return Status.model_validate({"workers": workers, **fields})


def test_workers_that_come_up_may_be_told_together() -> None:
    assert workers_are_changing(counted(2, phase=Phase.RUNNING), counted(0))


def test_that_all_workers_run_is_told_at_once() -> None:
    assert not workers_are_changing(counted(4, phase=Phase.RUNNING), counted(2))


def test_pods_that_come_and_go_may_be_told_together() -> None:
    assert workers_are_changing(counted(3), counted(4))


def test_a_lost_pod_is_told_at_once() -> None:
    assert not workers_are_changing(counted(3, restarts=Restarts(pods=1)), counted(2))


def test_an_end_is_told_at_once() -> None:
    assert not workers_are_changing(counted(3, phase=Phase.FAILED), counted(4))

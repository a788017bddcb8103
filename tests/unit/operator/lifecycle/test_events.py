"""What `kubectl describe` tells: each thing once, in words, as bad as it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.operator.lifecycle.seen import (
    FAILED,
    NOW,
    RAN,
    UID,
    after,
    ended,
    failure,
    job,
    pod,
    seconds,
    seen,
    wish,
)
from trainingrun_operator.api.status import Checkpoints, Restarts, Status
from trainingrun_operator.lifecycle.checks import decide
from trainingrun_operator.lifecycle.events import RESTARTS_TOLD, Event, events
from trainingrun_operator.lifecycle.observed import Observed
from trainingrun_operator.lifecycle.wish import Wish
from trainingrun_trainer.report import CheckpointRecord, Restart, RestartCause

RUNNING = job("Running")
STARTED = after(seen(job("Created")), now=NOW - seconds(12))


def told(observed: Observed, wanted: Wish | None = None) -> tuple[Event, ...]:
    wanted = wanted or wish()
    now = after(observed, wanted)
    return events(UID, observed.status, now, decide(observed, wanted, NOW))


def record(step: int, *, verified: bool = True) -> CheckpointRecord:
    path = f"/runs/squad/checkpoints/checkpoint-{step}"
    problem = None if verified else "it has no manifest"
    return CheckpointRecord(
        step=step, path=path, size_bytes=1, world_size=1, verified=verified, problem=problem
    )


def restart(second: int) -> Restart:
    return Restart(
        at=NOW + seconds(second), cause=RestartCause.RANK_FAILED, detail="exit code 1", rank=1,
        from_step=63, resumed_step=60, lost_steps=3, seconds_to_first_step=2.14,
    )  # fmt: skip


def test_workers_that_run_are_told_with_the_job_they_belong_to() -> None:
    (event,) = told(seen(RUNNING, pod(0), pod(1), status=STARTED))

    assert (event.type, event.reason) == ("Normal", "WorkersRunning")
    assert event.message == "PyTorchJob squad is 12s old; 2 of 2 workers run"


CASES = {
    "the job is made": (seen(job("Created")), wish(), []),
    "suspended": (
        seen(RUNNING, pod(), status=RAN), wish(suspend=True), [("Normal", "Suspended")],
    ),
    "the pods are lost": (
        seen(job("Restarting"), status=RAN), wish(), [("Warning", "Restarting")],
    ),
    "the job is made anew for a new spec": (
        seen(RUNNING, pod(), status=RAN), wish(spec_hash="new"), [("Normal", "Restarting")],
    ),
    "an edit is refused": (
        seen(RUNNING, pod(0), pod(1), status=RAN),
        wish(problem="spec: wrong").as_job_was_made(RUNNING, UID), [("Warning", "InvalidSpec")],
    ),
    "failed": (
        seen(RUNNING, ended(0, 64, failure=failure("no file"))), wish(),
        [("Warning", "UserError")],
    ),
    "succeeded": (seen(job("Succeeded")), wish(), [("Normal", "Completed")]),
    "retried": (seen(job("Failed"), status=FAILED), wish(retry=1), [("Normal", "Retried")]),
}  # fmt: skip


@pytest.mark.parametrize(("observed", "wanted", "expected"), CASES.values(), ids=CASES)
def test_a_change_is_told_as_bad_as_it_is(
    observed: Observed, wanted: Wish, expected: list[tuple[str, str]]
) -> None:
    assert [(event.type, event.reason) for event in told(observed, wanted)] == expected


def test_what_was_told_is_not_told_again() -> None:
    observed = seen(RUNNING, pod(0), pod(1))

    again = replace(observed, status=after(observed))

    assert told(again) == ()


def test_a_restart_of_the_ranks_is_told_with_its_cause_and_cost() -> None:
    now = Status(restarts=Restarts(recent=(restart(1),)))

    (event,) = events(UID, Status(), now, decide(seen(None, deleting=True), wish(), NOW))

    assert (event.type, event.reason) == ("Warning", "RankFailed")
    assert event.message == (
        "rank 1 failed, all were started again at step 60, 3 steps lost, 2.1 s to the first step: "
        "exit code 1"
    )


def test_of_many_restarts_at_once_the_newest_are_told() -> None:
    many = Status(restarts=Restarts(recent=tuple(map(restart, range(9)))))

    assert len(events(UID, Status(), many, decide(seen(None), wish(), NOW))) <= RESTARTS_TOLD


def test_the_first_checkpoint_and_each_damaged_one_are_told() -> None:
    one = Status(checkpoints=Checkpoints(last_good=20, path="/c-20", recent=(record(20),)))
    damaged = record(40, verified=False)
    two = Status(checkpoints=Checkpoints(last_good=60, path="/c-60", recent=(damaged, record(60))))
    quiet = decide(seen(None, deleting=True), wish(), NOW)

    first, second = events(UID, Status(), one, quiet), events(UID, one, two, quiet)

    assert [event.reason for event in first] == ["CheckpointSaved"]
    assert [event.reason for event in second] == ["CheckpointSetAside"]
    assert "it has no manifest" in second[0].message

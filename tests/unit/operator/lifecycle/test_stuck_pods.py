"""Pods that their node does not give up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.unit.operator.lifecycle.seen import NOW, SUCCEEDED, WISH, job, pod, seconds, seen, wish
from trainingrun_operator.lifecycle.checks import decide
from trainingrun_operator.lifecycle.decision import DeletePods
from trainingrun_operator.lifecycle.observed import Observed, Pod


def dying(minutes_over: float) -> Pod:
    """A pod whose node has not confirmed its end in time."""
    return pod(0, running=False, deleting=True, deletion_due=NOW - timedelta(minutes=minutes_over))


FORCED = DeletePods((("squad-worker-0", "pod-0"),), at_once=True)


@pytest.mark.parametrize(
    "observed",
    [
        seen(job("Running"), dying(2), pod(1)),
        seen(job("Running", deleting=True), dying(2)),
        seen(job("Running", suspended=True), dying(2)),
    ],
    ids=["while others train", "while its job goes", "while it is suspended"],
)
def test_a_pod_that_is_stuck_is_taken_off_its_node(observed: Observed) -> None:
    wanted = wish(suspend=observed.job is not None and observed.job.suspended)

    assert FORCED in decide(observed, wanted, NOW).actions


def test_a_pod_is_left_to_its_node_until_its_time_is_over() -> None:
    decision = decide(seen(job("Running"), dying(0.5), pod(1)), WISH, NOW)

    assert decision.actions == ()
    assert decision.recheck_after == seconds(30)


def test_stuck_pods_of_a_run_that_has_ended_are_left_alone() -> None:
    assert decide(seen(job("Succeeded"), dying(9), status=SUCCEEDED), WISH, NOW).actions == ()

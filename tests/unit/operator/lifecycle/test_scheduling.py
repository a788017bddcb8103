"""Workers that no node takes."""

from __future__ import annotations

from datetime import timedelta

from tests.unit.operator.lifecycle.seen import NOW, WISH, job, pod, seen
from trainingrun_operator.lifecycle.checks import decide


def test_a_worker_that_fits_on_no_node_for_a_moment_is_looked_at_again() -> None:
    fresh = pod(phase="Pending", running=False, unschedulable="full", unschedulable_since=NOW)

    decision = decide(seen(job("Created"), fresh), WISH, NOW + timedelta(seconds=4))

    assert decision.recheck_after == timedelta(seconds=6)


def test_a_run_that_trains_with_fewer_workers_says_what_keeps_the_other_away() -> None:
    away = pod(1, phase="Pending", running=False, unschedulable="0/1 nodes: Insufficient cpu")

    decision = decide(seen(job("Running"), pod(0), away), WISH, NOW)

    assert decision.verdicts[0].message.endswith("fits on no node: 0/1 nodes: Insufficient cpu")

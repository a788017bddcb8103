"""A lost rank or pod costs seconds, never the result."""

from __future__ import annotations

import signal

import pytest

from tests.cluster.api import Cluster, Run
from tests.cluster.runs import training_run

STEPS = 400
pytestmark = pytest.mark.timeout(300)


def start_and_pass(cluster: Cluster, name: str, namespace: str, step: int) -> Run:
    """Start a run and wait until a checkpoint is behind it and `step` is passed."""
    cluster.apply([training_run(name, steps=STEPS)], namespace)

    def passed(run: Run) -> bool:
        return run.step >= step and run.status["checkpoints"].get("lastGood") is not None

    return cluster.until(name, namespace, passed, f"past step {step}", seconds=120)


def resumed_from_a_checkpoint(run: Run) -> bool:
    return any(restart["resumedStep"] > 0 for restart in run.status["restarts"]["recent"])


def test_a_killed_rank_resumes_from_the_last_verified_checkpoint(
    cluster: Cluster, namespace: str
) -> None:
    start_and_pass(cluster, "rank", namespace, step=60)
    before = cluster.pod_uids(namespace, "rank")

    cluster.signal_rank("rank-worker-1", namespace, rank=1, number=signal.SIGKILL)

    run = cluster.until_ended("rank", namespace, seconds=150)
    assert run.status["summary"]["steps"] == STEPS
    assert run.status["restarts"]["ranks"] == 1, run.status["restarts"]
    assert run.status["restarts"]["pods"] == 0, run.status["restarts"]
    assert resumed_from_a_checkpoint(run), run.status["restarts"]
    assert run.status["checkpoints"]["lastGood"] == STEPS
    assert cluster.pod_uids(namespace, "rank") == before


def test_a_deleted_worker_0_is_replaced_and_the_run_goes_on(
    cluster: Cluster, namespace: str
) -> None:
    start_and_pass(cluster, "pod", namespace, step=60)

    cluster.kubectl("delete", "pod", "pod-worker-0", "--namespace", namespace, "--wait=false")

    run = cluster.until_ended("pod", namespace, seconds=180)
    assert run.status["summary"]["steps"] == STEPS
    assert run.status["restarts"]["pods"] == 1, run.status["restarts"]
    assert run.status["restarts"]["total"] >= 1
    assert resumed_from_a_checkpoint(run), run.status["restarts"]
    assert run.status["checkpoints"]["lastGood"] == STEPS

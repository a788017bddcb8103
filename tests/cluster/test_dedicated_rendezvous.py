"""With a rendezvous in a pod of its own no worker's loss ends another's launcher."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import Any

import pytest

from tests.cluster.api import Cluster, Run
from tests.cluster.runs import training_run

STEPS = 400
WORKERS = {
    "count": 2,
    "elastic": {"min": 1, "max": 2, "rendezvous": "dedicated"},
    "resources": {"cpu": "700m", "memory": "1500Mi"},
}
TO_THE_NEXT_STEP_SECONDS = 60.0
"""Far above what it takes, which is printed: other work on the machine slows a pod's start most."""

pytestmark = pytest.mark.timeout(300)


def restarts_of_containers(cluster: Cluster, namespace: str, pod: str) -> tuple[str, int]:
    """The UID of a pod and how often its container was started again."""
    found = json.loads(
        cluster.kubectl("get", "pod", pod, "--namespace", namespace, "--output=json")
    )
    (container,) = found["status"]["containerStatuses"]
    return found["metadata"]["uid"], container["restartCount"]


def _seconds(time_stamp: str) -> float:
    return datetime.fromisoformat(time_stamp).timestamp()


def came_back(run: Run) -> dict[str, Any] | None:
    recent: list[dict[str, Any]] = run.status["restarts"]["recent"]
    return recent[0] if recent else None


def test_worker_0_is_lost_and_the_other_stays_then_the_rendezvous_is_lost_and_both_stay(
    cluster: Cluster, namespace: str
) -> None:
    cluster.apply([training_run("apart", steps=STEPS, workers=WORKERS)], namespace)

    def under_way(run: Run) -> bool:
        return run.step >= 40 and run.status["checkpoints"].get("lastGood") is not None

    cluster.until("apart", namespace, under_way, "past step 40", seconds=120)
    other = restarts_of_containers(cluster, namespace, "apart-worker-1")

    began = time.time()
    cluster.kubectl("delete", "pod", "apart-worker-0", "--namespace", namespace, "--wait=false")
    run = cluster.until("apart", namespace, lambda r: came_back(r) is not None, "back", seconds=90)
    restart = came_back(run)
    assert restart is not None
    ended = _seconds(restart["at"]) + restart["secondsToFirstStep"]
    print(f"worker 0 deleted to the next step: {ended - began:.1f} s")
    assert restarts_of_containers(cluster, namespace, "apart-worker-1") == other

    cluster.kubectl(
        "delete", "pod", "--namespace", namespace, "--wait=false", "--grace-period=1",
        "--selector", "batch.kubernetes.io/job-name",
    )  # fmt: skip
    run = cluster.until_ended("apart", namespace, seconds=180)
    assert run.status["summary"]["steps"] == STEPS
    assert restarts_of_containers(cluster, namespace, "apart-worker-1") == other
    assert run.status["restarts"]["pods"] == 1, run.status["restarts"]
    assert ended - began <= TO_THE_NEXT_STEP_SECONDS

"""Deleting a TrainingRun removes everything it made, except the user's data."""

from __future__ import annotations

import pytest

from tests.cluster.api import Cluster
from tests.cluster.runs import CLAIM, training_run

pytestmark = pytest.mark.timeout(240)


def test_deleting_a_run_removes_its_objects_and_keeps_the_claim(
    cluster: Cluster, namespace: str
) -> None:
    cluster.apply([training_run("gone", steps=5000)], namespace)
    cluster.until_condition("gone", namespace, "Running", "True", "WorkersRunning", seconds=120)

    cluster.kubectl("delete", "trainingrun", "gone", "--namespace", namespace)

    cluster.until_gone("pytorchjob", "gone", namespace)
    for worker in ("gone-worker-0", "gone-worker-1"):
        cluster.until_gone("pod", worker, namespace, seconds=90)
    cluster.until_gone("configmap", "gone-config", namespace)
    assert cluster.exists("pvc", CLAIM, namespace)


def test_a_suspended_run_has_no_pods_and_goes_on_from_its_checkpoint_when_resumed(
    cluster: Cluster, namespace: str
) -> None:
    cluster.apply([training_run("pause", steps=300)], namespace)
    cluster.until("pause", namespace, lambda run: run.step >= 30, "past step 30", seconds=120)
    suspend = ("patch", "trainingrun", "pause", "--namespace", namespace, "--type=merge", "--patch")

    cluster.kubectl(*suspend, '{"spec": {"policy": {"suspend": true}}}')
    cluster.until_condition("pause", namespace, "Suspended", "True", "Suspended", seconds=90)
    for pod in ("pause-worker-0", "pause-worker-1"):
        cluster.until_gone("pod", pod, namespace, seconds=90)
    saved = cluster.run("pause", namespace).status["checkpoints"]["lastGood"]
    cluster.kubectl(*suspend, '{"spec": {"policy": {"suspend": false}}}')

    run = cluster.until_ended("pause", namespace, seconds=180)
    assert saved > 0
    assert run.status["summary"]["steps"] == 300
    assert run.status["restarts"]["pods"] == 0, run.status["restarts"]

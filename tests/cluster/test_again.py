"""A run that failed goes on when it is asked to, by the plugin's verb."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.cluster.api import Cluster
from tests.cluster.runs import training_run

ONE = {"count": 1, "resources": {"cpu": "900m", "memory": "1500Mi"}}
pytestmark = pytest.mark.timeout(240)


def plugin(cluster: Cluster, *words: str) -> str:
    """What `kubectl trainingrun` prints."""
    program = cluster.kubectl.argv()[0]
    folder = os.path.dirname(program)  # noqa: PTH120
    environment = {
        **os.environ,
        "KUBECONFIG": str(cluster.kubectl.kubeconfig),
        "PATH": f"{folder}:{os.environ['PATH']}",
    }
    argv = [sys.executable, "-m", "kubectl_trainingrun", *words]
    return subprocess.run(
        argv, env=environment, capture_output=True, text=True, check=True, timeout=30
    ).stdout


def test_a_failed_run_is_retried_with_a_new_job_and_succeeds(
    cluster: Cluster, namespace: str
) -> None:
    limit = {"activeDeadlineSeconds": 2}
    cluster.apply([training_run("again", steps=10, workers=ONE, policy=limit)], namespace)
    cluster.until_condition("again", namespace, "Failed", "True", "DeadlineExceeded")
    first = cluster.job_uids(namespace)
    cluster.kubectl(
        "patch", "trainingrun", "again", "--namespace", namespace, "--type=merge",
        '--patch={"spec": {"policy": {"activeDeadlineSeconds": 600}}}',
    )  # fmt: skip

    assert "retry 1 of again" in plugin(cluster, "retry", "again", "-n", namespace)

    cluster.until("again", namespace, lambda run: run.status["attempt"] == 1, "retried", seconds=30)
    run = cluster.until_ended("again", namespace, seconds=120)
    assert run.status["attempt"] == 1
    assert cluster.job_uids(namespace).isdisjoint(first)

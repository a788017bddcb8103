"""What a worker gets of its node, and what the run says of it."""

from __future__ import annotations

import pytest

from tests.cluster.api import Cluster
from tests.cluster.runs import training_run

pytestmark = pytest.mark.timeout(240)

LITTLE = {"cpu": "100m", "memory": "1Gi"}


def test_a_worker_with_one_cpu_of_a_node_with_more_gets_one_thread_and_verifies_its_stack(
    cluster: Cluster, namespace: str
) -> None:
    resources = {"cpu": "1", "memory": "1500Mi", "ephemeralStorage": "1Gi"}
    cluster.apply(
        [training_run("one-cpu", steps=10, workers={"count": 1, "resources": resources})],
        namespace,
    )
    run = cluster.until_ended("one-cpu", namespace, seconds=150)
    plan = {choice["name"]: choice["value"] for choice in run.status["plan"]}
    assert (plan["threads"], plan["allocator"]) == ("1", "tcmalloc")
    verified = run.condition("StackVerified")
    assert (verified["status"], verified["reason"]) == ("True", "StackAsPlanned"), verified
    log = cluster.kubectl("logs", "one-cpu-worker-0", "--namespace", namespace)
    rows = {line.split()[0]: line for line in log.splitlines() if line.strip()}
    assert "quota 1" in rows["cpus"], log
    assert "torch 1, running 1" in rows["threads"], log
    assert rows["allocator"].split() == ["allocator", "tcmalloc", "tcmalloc"], log


def test_a_backend_that_the_runtime_lacks_is_told_or_refused(
    cluster: Cluster, namespace: str
) -> None:
    workers = {"count": 1, "resources": LITTLE}
    cluster.apply(
        [
            training_run("falls-back", workers=workers, communication={"backend": "ccl"}),
            training_run(
                "refused", workers=workers, communication={"backend": "ccl", "required": True}
            ),
        ],
        namespace,
    )
    told = cluster.until_condition(
        "falls-back", namespace, "StackVerified", "False", "BackendFallback"
    )
    assert "gloo takes its place" in told.condition("StackVerified")["message"]
    refused = cluster.until_condition("refused", namespace, "Accepted", "False", "InvalidSpec")
    assert "spec.communication.required is true" in refused.condition("Accepted")["message"]

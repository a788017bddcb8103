"""A run that failed and is asked to go on; pods that nobody takes away."""

from __future__ import annotations

import json

from tests.api.cluster import Namespace
from tests.api.manifests import training_run
from tests.api.running import CountingCluster

FAILURE = {"reason": "DataNotFound", "message": "no file; write another folder", "retryable": False}


def fail(namespace: Namespace) -> None:
    """A run that has ended with a user's error."""
    namespace.make_claim()
    namespace.create(training_run())
    namespace.until_job()
    namespace.start_workers()
    namespace.end_worker(0, 64, json.dumps({"failure": FAILURE}))
    namespace.set_job_status("Created", "Failed")
    namespace.until_condition("Failed", "True", "UserError")


def test_a_failed_run_starts_again_when_it_is_asked_to(
    started: CountingCluster, namespace: Namespace
) -> None:
    fail(namespace)
    first = namespace.job()["metadata"]

    namespace.edit_run({"metadata": {"annotations": {"trainingrun.io/retry": "1"}}})
    namespace.until_condition("Failed", "False", "Retried")
    namespace.collect_job()
    namespace.until(lambda s: s.get("attempt") == 1 and s["phase"] == "Starting")

    again = namespace.job()["metadata"]
    assert again["uid"] != first["uid"]
    assert again["annotations"]["trainingrun.io/attempt"] == "1"


def test_a_failed_run_whose_spec_changes_says_how_to_go_on(
    started: CountingCluster, namespace: Namespace
) -> None:
    fail(namespace)

    namespace.edit_run({"spec": {"workers": {"resources": {"memory": "8Gi"}}}})

    answer = namespace.until_condition("Accepted", "False", "ChangedAfterEnd")
    assert 'trainingrun.io/retry to "1"' in answer["message"]
    run = namespace.run()
    assert run["status"]["phase"] == "Failed"
    # kubectl wait passes over conditions of an older generation.
    seen_at = {c["type"]: c["observedGeneration"] for c in run["status"]["conditions"]}
    assert seen_at["Failed"] == run["metadata"]["generation"]


def test_a_pod_that_its_node_does_not_give_up_is_taken_off_it(
    started: CountingCluster, namespace: Namespace
) -> None:
    namespace.make_claim()
    namespace.create(training_run(policy={"forceDeleteAfterSeconds": 0}))
    namespace.until_job()
    namespace.start_workers()
    namespace.until_condition("Running", "True", "WorkersRunning")

    namespace.evict_pod(0, grace_seconds=1)

    namespace.until_pod_gone(0)

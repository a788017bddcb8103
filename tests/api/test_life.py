"""One run's life: made, followed, ended, each change told once."""

from __future__ import annotations

import itertools
import json

from lightkube.resources.core_v1 import ConfigMap

from tests.api.cluster import Namespace, condition
from tests.api.manifests import training_run
from tests.api.running import CountingCluster

SUMMARY = json.dumps({"summary": {"steps": 40, "firstLoss": 7.5, "lastLoss": 2.25}})


def test_a_run_gets_one_job_and_one_config_map_that_it_owns(
    started: CountingCluster, namespace: Namespace
) -> None:
    namespace.make_claim()
    run = namespace.create(training_run())
    namespace.until_condition("JobCreated", "True", "JobCreated")

    (job,) = namespace.jobs()
    for child in (job, namespace.config_map()):
        (owner,) = child["metadata"]["ownerReferences"]
        assert (owner["uid"], owner["kind"]) == (run["metadata"]["uid"], "TrainingRun")
        assert owner["controller"] is True
        assert owner["blockOwnerDeletion"] is True


def test_the_operator_leaves_nothing_of_its_framework_on_a_run(
    started: CountingCluster, namespace: Namespace
) -> None:
    namespace.make_claim()
    namespace.create(training_run())
    namespace.until_condition("JobCreated", "True", "JobCreated")

    metadata = namespace.run()["metadata"]
    assert "finalizers" not in metadata
    assert "annotations" not in metadata


def test_status_follows_the_job_to_success_and_its_summary(
    started: CountingCluster, namespace: Namespace
) -> None:
    namespace.make_claim()
    namespace.create(training_run())
    namespace.until_job()
    namespace.start_workers()
    running = namespace.until(lambda s: s.get("workers", {}).get("summary") == "2/2")
    assert running["status"]["phase"] == "Running"

    namespace.end_worker(1, 0, "")
    namespace.end_worker(0, 0, SUMMARY)
    namespace.set_job_status("Created", "Succeeded")

    namespace.until_condition("Succeeded", "True", "Completed")
    status = namespace.until(lambda s: s.get("summary"))["status"]
    assert status["phase"] == "Succeeded"
    assert status["summary"]["lastLoss"] == 2.25
    assert status["progress"]["steps"] == "40/40"
    assert status["restarts"]["total"] == 0


def test_each_change_is_written_once(started: CountingCluster, namespace: Namespace) -> None:
    namespace.make_claim()
    namespace.create(training_run(workers={"count": 1, "elastic": {"min": 1, "max": 1}}))
    namespace.until_job()
    namespace.start_workers(1)
    namespace.until_condition("Running", "True", "WorkersRunning")
    namespace.end_worker(0, 0, SUMMARY)
    namespace.set_job_status("Created", "Succeeded")
    namespace.until_condition("Succeeded", "True", "Completed")

    written = started.written("squad")
    assert [status["phase"] for status in written][-1] == "Succeeded"
    assert all(one != other for one, other in itertools.pairwise(written))
    # Made, pod known, running, worker ended, succeeded.
    assert len(written) <= 5, written
    assert started.applied == ["ConfigMap", "NetworkPolicy", "PyTorchJob"]


def test_a_user_error_ends_the_run_with_its_message(
    started: CountingCluster, namespace: Namespace
) -> None:
    namespace.make_claim()
    namespace.create(training_run())
    namespace.until_job()
    namespace.start_workers()
    failure = {"reason": "DataNotFound", "message": "no file in /data; write another folder",
               "field": "spec.data.train", "rank": 1, "retryable": False}  # fmt: skip
    namespace.end_worker(1, 64, json.dumps({"failure": failure}))
    namespace.set_job_status("Created", "Failed")

    failed = namespace.until_condition("Failed", "True", "UserError")

    assert "spec.data.train: no file in /data; write another folder" in failed["message"]
    assert namespace.run()["status"]["phase"] == "Failed"


def test_a_finished_run_stays_finished_whatever_its_job_says_later(
    started: CountingCluster, namespace: Namespace
) -> None:
    namespace.make_claim()
    namespace.create(training_run())
    namespace.until_job()
    namespace.end_run_with(SUMMARY)
    namespace.until(lambda s: s.get("summary"))
    before = len(started.written("squad"))

    namespace.set_job_status("Created", "Failed")
    namespace.create(training_run("later"))
    namespace.until_job("later")

    status = namespace.run()["status"]
    assert condition(status, "Succeeded")["status"] == "True"
    assert condition(status, "Failed") == {}
    assert len(started.written("squad")) == before


def test_a_resize_tells_the_pods_to_come_and_leaves_the_rest_of_their_config(
    started: CountingCluster, namespace: Namespace
) -> None:
    namespace.make_claim()
    namespace.create(training_run())
    namespace.until_job()
    namespace.start_workers()
    namespace.until_condition("Running", "True", "WorkersRunning")
    made = namespace.config_map()
    older = {**json.loads(made["data"]["run.json"]), "another": "version's field"}
    data = {"data": {"run.json": json.dumps(older)}}
    namespace.client.patch(ConfigMap, "squad-config", data, namespace=namespace.name)

    namespace.edit_run({"spec": {"workers": {"count": 1}}})
    namespace.until(lambda s: s["workers"]["desired"] == 1)

    resized = namespace.config_map()
    told = json.loads(resized["data"].pop("run.json"))
    assert told == {**older, "processes": {**older["processes"], "workers": 1}}
    assert resized["data"] == {"ca.crt": made["data"]["ca.crt"]}
    assert resized["metadata"]["ownerReferences"] == made["metadata"]["ownerReferences"]
    assert resized["metadata"]["labels"] == made["metadata"]["labels"]
    assert namespace.job()["spec"]["pytorchReplicaSpecs"]["Worker"]["replicas"] == 1


def test_a_lost_pod_counts_once(started: CountingCluster, namespace: Namespace) -> None:
    namespace.make_claim()
    namespace.create(training_run())
    namespace.until_job()
    namespace.start_workers()
    namespace.until(lambda s: len(s.get("podUids", ())) == 2)

    namespace.delete_pod(0)
    namespace.until(lambda s: s["restarts"]["pods"] == 1)
    namespace.make_pod(0)
    namespace.set_pod_state(0, "Running", {"running": {}})

    status = namespace.until(lambda s: s["workers"]["running"] == 2)["status"]
    assert status["restarts"]["pods"] == 1


def test_a_suspended_run_suspends_its_job_and_goes_on_when_asked(
    started: CountingCluster, namespace: Namespace
) -> None:
    namespace.make_claim()
    namespace.create(training_run())
    namespace.until_job()
    namespace.start_workers()
    namespace.until_condition("Running", "True", "WorkersRunning")

    namespace.edit_run({"spec": {"policy": {"suspend": True}}})
    namespace.until_condition("Suspended", "True", "Suspended")
    suspended = namespace.job()["spec"]["runPolicy"]["suspend"]
    namespace.edit_run({"spec": {"policy": {"suspend": False}}})
    namespace.until_condition("Suspended", "False", "NotSuspended")

    assert suspended is True
    assert namespace.job()["spec"]["runPolicy"]["suspend"] is False

"""The operator comes and goes; the run's end state does not depend on when."""

from __future__ import annotations

import json

from lightkube import Client

from tests.api.cluster import Namespace
from tests.api.manifests import training_run
from tests.api.running import operator
from tests.api.server import ApiServer
from trainingrun_operator.cluster.kubernetes import TrainingRunResource
from trainingrun_operator.options import Options

SUMMARY = json.dumps({"summary": {"steps": 40}})


def test_an_operator_stopped_before_the_job_is_made_leaves_one_job_after_its_restart(
    api_server: ApiServer, options: Options, namespace: Namespace
) -> None:
    namespace.make_claim()
    with operator(api_server, options, hang_before="PyTorchJob") as cluster:
        namespace.create(training_run())
        assert cluster.hanging.wait(20)
    made_before = namespace.config_map()["metadata"]["uid"]
    assert namespace.jobs() == []

    with operator(api_server, options):
        namespace.until_condition("JobCreated", "True", "JobCreated")

    assert len(namespace.jobs()) == 1
    assert namespace.config_map()["metadata"]["uid"] == made_before


def test_what_happened_while_the_operator_was_away_is_in_the_status_after_its_restart(
    api_server: ApiServer, options: Options, namespace: Namespace
) -> None:
    namespace.make_claim()
    with operator(api_server, options):
        namespace.create(training_run())
        namespace.until_job()
        namespace.start_workers()
        namespace.until(lambda s: len(s.get("podUids", ())) == 2)
    job = namespace.job()["metadata"]["uid"]
    namespace.delete_pod(0)
    namespace.make_pod(0)
    namespace.set_pod_state(0, "Running", {"running": {}})

    with operator(api_server, options):
        status = namespace.until(lambda s: s["restarts"]["pods"] == 1)["status"]

    assert status["phase"] == "Running"
    assert [j["metadata"]["uid"] for j in namespace.jobs()] == [job]


def test_a_restarted_operator_writes_nothing_where_nothing_has_changed(
    api_server: ApiServer, options: Options, namespace: Namespace
) -> None:
    namespace.make_claim()
    with operator(api_server, options):
        namespace.create(training_run())
        namespace.until_job()
        namespace.end_run_with(SUMMARY)
        namespace.until(lambda s: s.get("summary"))

    with operator(api_server, options) as cluster:
        namespace.create(training_run("later"))
        namespace.until_condition("JobCreated", "True", "JobCreated", name="later")

    assert cluster.written("squad") == []


def test_a_run_can_be_deleted_while_the_operator_is_away(
    api_server: ApiServer, options: Options, namespace: Namespace, client: Client
) -> None:
    namespace.make_claim()
    with operator(api_server, options):
        namespace.create(training_run())
        namespace.until_condition("JobCreated", "True", "JobCreated")

    client.delete(TrainingRunResource, "squad", namespace=namespace.name)

    left = list(client.list(TrainingRunResource, namespace=namespace.name))
    assert left == [], "no finalizer of ours holds it"
    with operator(api_server, options) as cluster:
        namespace.create(training_run("later"))
        namespace.until_condition("JobCreated", "True", "JobCreated", name="later")
    assert cluster.written("squad") == []

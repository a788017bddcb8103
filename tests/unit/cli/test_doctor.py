"""Each trouble by what the API server and the trainer really say when it is there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kubectl_trainingrun.cluster import RUNS, Object
from kubectl_trainingrun.doctor.diagnosis import diagnosis
from kubectl_trainingrun.doctor.gather import JOBS, OPERATOR, TRAINING_OPERATOR, snapshot
from tests.unit.cli.clusters import FakeCluster, claim, condition, deployment, pod, run

NOW = datetime(2026, 1, 1, 1, tzinfo=UTC)
JOB = {"metadata": {"name": "squad", "uid": "job", "creationTimestamp": "2026-01-01T00:00:01Z"}}
UP = condition("Running", "True", "WorkersRunning")
PROGRESS = {"step": 40, "totalSteps": 100, "updatedAt": "2026-01-01T00:59:58Z"}
READY = {"type": "Ready", "status": "True"}


def node(*conditions: Object) -> Object:
    return {"metadata": {"name": "node-1"}, "status": {"conditions": list(conditions)}}


def event(about: str, reason: str, message: str) -> Object:
    kind, name = about.split("/")
    return {
        "metadata": {"name": f"{name}.1"},
        "involvedObject": {"kind": kind, "name": name},
        "type": "Warning",
        "reason": reason,
        "message": message,
        "lastTimestamp": "2026-01-01T00:10:00Z",
    }


class Bench:
    """A cluster in which all is well; a test breaks one thing."""

    def __init__(self) -> None:
        self.cluster = FakeCluster()
        self.put(JOBS, JOB)
        self.put("pods", pod(0))
        self.put("pods", pod(1))
        self.put("nodes", node(READY))
        self.put("persistentvolumeclaims", claim("Bound"))
        self.put("deployments.apps", deployment(OPERATOR, 1))
        self.put("deployments.apps", deployment(TRAINING_OPERATOR, 1))
        step_at = {"stepAt": "2026-01-01T00:59:58Z"}
        self.is_run("Running", conditions=[UP], progress={**PROGRESS, **step_at})

    def put(self, kind: str, raw: Object) -> None:
        self.cluster.add(kind, raw)

    def is_run(self, phase: str | None, **status: Any) -> None:
        self.put(RUNS, run(phase, **status))

    def without_pods(self) -> None:
        self.cluster.objects["pods"] = {}

    def waits(self, reason: str, message: str) -> None:
        """Both pods wait for this."""
        self.is_run("Starting")
        for index in range(2):
            state = {"waiting": {"reason": reason, "message": message}}
            self.put("pods", pod(index, state=state, phase="Pending"))

    def fails(self, reason: str, message: str) -> None:
        self.is_run("Failed", conditions=[condition("Failed", "True", reason, message)])

    def logs(self, *lines: str) -> None:
        self.cluster.lines = list(lines)

    @property
    def found(self) -> list[str]:
        return [trouble.name for trouble in diagnosis(snapshot(self.cluster, "squad", NOW))]

    @property
    def first(self) -> str:
        trouble = diagnosis(snapshot(self.cluster, "squad", NOW))[0]
        return f"{trouble.what} | {trouble.mend}"


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_run_that_trains_has_no_trouble(bench: Bench) -> None:
    bench.logs("step 40/100  loss 1.250")
    assert bench.found == []


def test_the_operator_is_down(bench: Bench) -> None:
    bench.put("deployments.apps", deployment(OPERATOR, 0))
    assert bench.found == ["operator-down"]


def test_a_run_that_nobody_looks_at_blames_the_operator_who_may_not_see_deployments(
    bench: Bench,
) -> None:
    bench.is_run(None)
    bench.cluster.forbidden = {"deployments.apps", "nodes"}
    assert bench.found == ["operator-down"]
    assert "may not watch this namespace" in bench.first


def test_the_training_operator_is_down(bench: Bench) -> None:
    bench.is_run("Starting")
    bench.without_pods()
    bench.put("deployments.apps", deployment(TRAINING_OPERATOR, 0))
    assert bench.found == ["training-operator-down"]


def test_the_spec_is_refused(bench: Bench) -> None:
    refusal = condition("Accepted", "False", "InvalidSpec", "spec.workers.count: 3 workers ...")
    bench.is_run("Invalid", conditions=[refusal])
    assert bench.found == ["refused-spec"]


@pytest.mark.parametrize("phase", ["", "Pending", "Lost"])
def test_the_claim_is_in_the_way(phase: str, bench: Bench) -> None:
    bench.is_run("Pending")
    bench.put("persistentvolumeclaims", claim(phase))
    assert bench.found == ["claim"]


def test_a_claim_that_waits_tells_what_for(bench: Bench) -> None:
    bench.is_run("Starting")
    bench.put("persistentvolumeclaims", claim("Pending"))
    told = 'storageclass.storage.k8s.io "fast" not found'
    bench.put("events", event("PersistentVolumeClaim/data", "ProvisioningFailed", told))
    assert told in bench.first


def test_the_quota_is_used_up(bench: Bench) -> None:
    bench.is_run("Starting")
    bench.without_pods()
    told = (
        'Error creating: pods "squad-worker-0" is forbidden: exceeded quota: team, '
        "requested: cpu=8, used: cpu=60, limited: cpu=64"
    )
    bench.put("events", event("PyTorchJob/squad", "FailedCreatePod", told))
    assert bench.found == ["quota"]


def test_no_node_takes_a_pod(bench: Bench) -> None:
    bench.is_run("Starting")
    told = "0/3 nodes are available: 3 Insufficient cpu."
    refusal = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": told,
    }
    bench.put("pods", pod(1, phase="Pending", conditions=[refusal], containerStatuses=[]))
    assert bench.found == ["unschedulable"]
    assert told in bench.first


def test_an_image_cannot_be_pulled(bench: Bench) -> None:
    bench.waits("ImagePullBackOff", 'Back-off pulling image "trainer:1"')
    assert bench.found == ["image"]
    assert "trainer:1" in bench.first


def test_a_secret_is_missing(bench: Bench) -> None:
    bench.waits("CreateContainerConfigError", 'secret "hub-token" not found')
    assert bench.found == ["container"]


def test_a_container_was_killed_for_want_of_memory(bench: Bench) -> None:
    state = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    bench.put("pods", pod(1, state=state, phase="Failed"))
    assert bench.found == ["out-of-memory"]


def test_a_rank_was_killed_for_want_of_memory(bench: Bench) -> None:
    bench.logs("[worker 0] rank 1 was killed for memory; raise spec.workers.resources.memory")
    assert bench.found == ["out-of-memory"]


def test_the_disk_is_full(bench: Bench) -> None:
    told = "OSError: [Errno 28] No space left on device: '/runs/squad/checkpoint-40'"
    bench.fails("UserError", told)
    assert bench.found == ["disk-full"]


def test_a_node_is_under_disk_pressure(bench: Bench) -> None:
    bench.put("nodes", node(READY, {"type": "DiskPressure", "status": "True"}))
    assert bench.found == ["disk-full"]


def test_a_data_column_is_wrong(bench: Bench) -> None:
    bench.fails("UserError", "spec.data.columns.text: no column 'body'; there are: text, label")
    assert bench.found == ["wrong-data"]


def test_something_else_that_the_user_wrote_is_wrong(bench: Bench) -> None:
    bench.fails("UserError", "spec.model.name: no such model")
    assert bench.found == ["user-error"]


def test_ranks_failed_too_often(bench: Bench) -> None:
    bench.fails("RestartsExhausted", "ranks failed 11 times; the last one: ValueError (rank 1)")
    assert bench.found == ["given-up"]


def test_a_node_does_not_answer(bench: Bench) -> None:
    raw = pod(1)
    raw["metadata"]["deletionTimestamp"] = "2026-01-01T00:50:00Z"
    bench.put("pods", raw)
    bench.put("nodes", node({"type": "Ready", "status": "Unknown"}))
    assert bench.found == ["node-lost"]
    assert "node-1" in bench.first


def test_workers_do_not_find_each_other(bench: Bench) -> None:
    bench.is_run("Running", conditions=[UP])
    bench.logs("[worker 0] waiting: 1 of 2 workers are here")
    assert bench.found == ["rendezvous"]


def test_workers_that_have_met_are_not_blamed_for_having_waited(bench: Bench) -> None:
    bench.logs("[worker 0] waiting: 1 of 2 workers are here", "step 40/100  loss 1.250")
    assert bench.found == []


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        ("operator:8443 answers 401: the token is of no pod", "token-expired"),
        ("[Errno 111] Connection refused", "reports-lost"),
    ],
)
def test_reports_do_not_arrive(answer: str, trouble: str, bench: Bench) -> None:
    old = {**PROGRESS, "updatedAt": "2026-01-01T00:55:00Z", "stepAt": "2026-01-01T00:55:00Z"}
    bench.is_run("Running", conditions=[UP], progress=old)
    bench.logs("step 40/100", f"progress could not be reported, training goes on: {answer}")
    assert bench.found == [trouble]


def test_no_step_is_done(bench: Bench) -> None:
    bench.is_run(
        "Running",
        conditions=[UP],
        progress={**PROGRESS, "stepAt": "2026-01-01T00:30:00Z"},
    )
    assert bench.found == ["stalled"]
    assert "30m" in bench.first


def test_a_rank_hung_and_was_started_again(bench: Bench) -> None:
    hung = {
        "at": "2026-01-01T00:50:00Z",
        "cause": "RankHung",
        "detail": "rank 1 has not stepped for 60 s",
        "fromStep": 30,
        "resumedStep": 20,
        "lostSteps": 10,
    }
    progress = {**PROGRESS, "stepAt": "2026-01-01T00:59:58Z"}
    bench.is_run("Running", conditions=[UP], progress=progress, restarts={"recent": [hung]})
    assert bench.found == ["stalled"]


def test_pods_found_something_else_than_was_planned(bench: Bench) -> None:
    differs = condition("StackVerified", "False", "StackDiffers", "allocator: tcmalloc is absent")
    progress = {**PROGRESS, "stepAt": "2026-01-01T00:59:58Z"}
    bench.is_run("Running", conditions=[UP, differs], progress=progress)
    assert bench.found == ["stack"]


def test_a_suspended_run_is_resumed_by_its_user(bench: Bench) -> None:
    bench.without_pods()
    bench.cluster.objects[JOBS] = {}
    bench.is_run("Suspended", conditions=[condition("Suspended", "True", "Suspended")])
    assert bench.found == ["suspended"]
    assert "kubectl trainingrun resume squad" in bench.first

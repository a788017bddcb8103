"""Progress posts with real tokens of the API server."""

from __future__ import annotations

import json
import ssl
from typing import Any

import httpx2
import pytest

from tests.api.cluster import Namespace
from tests.api.manifests import training_run
from tests.api.running import CountingCluster
from trainingrun_operator.options import Options

AUDIENCE = "trainingrun.io/progress"
REPORT = {
    "trainerStatus": {"progressPercentage": 30, "estimatedRemainingSeconds": 660},
    "trainingRun": {"step": 12, "totalSteps": 40, "loss": 3.14159, "worldSize": 2},
}


@pytest.fixture
def trainers(options: Options, namespace: Namespace) -> Any:
    """What a trainer posts with: only the authority that its ConfigMap carries is trusted."""

    def post(token: str, body: Any = REPORT, run: str = "squad") -> httpx2.Response:
        authority = namespace.config_map()["data"]["ca.crt"]
        context = ssl.create_default_context(cadata=authority)
        url = f"{options.progress_url}/v1/namespaces/{namespace.name}/trainingruns/{run}/status"
        with httpx2.Client(verify=context) as http:
            return http.post(url, json=body, headers={"Authorization": f"Bearer {token}"})

    return post


@pytest.fixture
def training(started: CountingCluster, namespace: Namespace) -> Namespace:
    """A run whose two workers run."""
    namespace.make_claim()
    namespace.create(training_run())
    namespace.until_job()
    namespace.start_workers()
    namespace.until_condition("Running", "True", "WorkersRunning")
    return namespace


def test_a_post_with_the_pods_token_shows_in_the_status(training: Namespace, trainers: Any) -> None:
    answer = trainers(training.pod_token(0, AUDIENCE))

    assert answer.status_code == 200, answer.text
    status = training.until(lambda s: s.get("progress"))["status"]
    assert status["progress"]["steps"] == "12/40"
    assert status["progress"]["eta"] == "11m"
    assert status["progress"]["loss"] == 3.1416
    training.until_condition("Progressing", "True", "Training")


def test_what_transformers_own_callback_posts_is_enough(training: Namespace, trainers: Any) -> None:
    metrics = {"loss": "2.5", "current_step": "10", "total_steps": "40", "current_epoch": "0.25"}
    body = {
        "trainerStatus": {
            "lastUpdatedTime": "2026-01-01T00:00:00.123456+00:00",
            "progressPercentage": 25,
            "estimatedRemainingSeconds": 90,
            "metrics": [{"name": k, "value": v} for k, v in metrics.items()],
        }
    }

    answer = trainers(training.pod_token(0, AUDIENCE), body)

    assert answer.status_code == 200, answer.text
    progress = training.until(lambda s: s.get("progress"))["status"]["progress"]
    assert (progress["steps"], progress["loss"], progress["eta"]) == ("10/40", 2.5, "1m30s")


def test_a_token_for_the_api_server_is_not_taken(training: Namespace, trainers: Any) -> None:
    answer = trainers(training.pod_token(0, "https://kubernetes.default.svc"))

    assert answer.status_code == 401


def test_a_pod_cannot_report_for_another_run(training: Namespace, trainers: Any) -> None:
    training.create(training_run("other"))
    training.until_condition("JobCreated", "True", "JobCreated", name="other")

    answer = trainers(training.pod_token(0, AUDIENCE), run="other")

    assert answer.status_code == 403


def test_the_history_of_a_run_that_ended_is_kept_and_goes_with_the_run(
    training: Namespace, trainers: Any
) -> None:
    assert trainers(training.pod_token(0, AUDIENCE)).status_code == 200
    training.until(lambda s: s.get("progress"))
    training.end_worker(0, 0, "")
    training.set_job_status("Created", "Succeeded")

    history = training.until_there("v1", "configmaps", "squad-history")

    points = json.loads(history["data"]["history.json"])["points"]
    assert [point[1:3] for point in points] == [[12, 3.1416]]
    [owner] = history["metadata"]["ownerReferences"]
    assert owner["uid"] == training.run()["metadata"]["uid"]

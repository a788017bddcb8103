"""A run that cannot work says why within a minute, and stands in nobody's way."""

from __future__ import annotations

import pytest

from tests.cluster import runs
from tests.cluster.api import Cluster
from tests.cluster.runs import training_run

pytestmark = pytest.mark.timeout(240)


def test_a_wrong_field_is_refused_at_apply_with_the_field_named(
    cluster: Cluster, namespace: str
) -> None:
    wrong = training_run("wrong")
    wrong["spec"]["training"]["globalBatchSize"] = 0
    with pytest.raises(AssertionError, match=r"spec\.training\.globalBatchSize"):
        cluster.apply([wrong], namespace)


def test_a_misspelt_field_is_refused_at_apply_with_the_field_named(
    cluster: Cluster, namespace: str
) -> None:
    wrong = training_run("wrong")
    wrong["spec"]["training"]["learnRate"] = 1e-3
    with pytest.raises(AssertionError, match=r"spec\.training\.learnRate"):
        cluster.apply([wrong], namespace)


def test_each_kind_of_bad_run_names_its_cause_and_blocks_no_other(
    cluster: Cluster, namespace: str
) -> None:
    one = {"count": 1, "resources": {"cpu": "400m", "memory": "1500Mi"}}
    cluster.apply(
        [
            training_run("indivisible", workers=one | {"count": 3}),
            training_run("no-image", workers=one, image={"name": "localhost:5001/no-such:image"}),
            training_run("no-claim", workers=one, storage={"claimName": "no-such-claim"}),
            training_run("no-data", workers=one, data={"train": "/no/such/folder"}),
            training_run("good", steps=10, workers=one),
        ],
        namespace,
    )

    refused = cluster.until_condition("indivisible", namespace, "Accepted", "False", "InvalidSpec")
    assert "spec.training.globalBatchSize" in refused.condition("Accepted")["message"]
    image = cluster.until_condition("no-image", namespace, "Running", "False", "ImagePullFailed")
    assert "localhost:5001/no-such:image" in image.condition("Running")["message"]
    claim = cluster.until_condition("no-claim", namespace, "Accepted", "False", "ClaimNotFound")
    assert "no-such-claim" in claim.condition("Accepted")["message"]
    raised = cluster.until_condition("no-data", namespace, "Failed", "True", "UserError")
    assert "/no/such/folder" in raised.condition("Failed")["message"]
    assert raised.status["restarts"]["total"] == 0
    cluster.until_ended("good", namespace, seconds=120)


def test_a_missing_secret_is_told_by_its_field_and_the_run_starts_when_it_is_made(
    cluster: Cluster, namespace: str
) -> None:
    token = {"name": "HF_TOKEN", "secretKey": {"name": "hub", "key": "token"}}
    one = {"count": 1, "resources": {"cpu": "400m", "memory": "1500Mi"}, "env": [token]}
    cluster.apply([training_run("secretive", 5, workers=one)], namespace)

    missing = cluster.until_condition("secretive", namespace, "Running", "False", "SecretNotFound")
    told = missing.condition("Running")["message"]
    assert told.startswith("spec.workers.env[0].secretKey: secret hub does not exist")

    secret = ("secret", "generic", "hub", "--from-literal=token=1")
    cluster.kubectl("create", "--namespace", namespace, *secret)
    cluster.until_condition("secretive", namespace, "Running", "True", "WorkersRunning")


def test_pods_that_the_cluster_refuses_are_told_with_its_words(
    cluster: Cluster, namespace: str
) -> None:
    limits = {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "small"},
        "spec": {"limits": [{"type": "Container", "max": {"cpu": "100m"}}]},
    }
    cluster.apply([limits, training_run("large")], namespace)

    refused = cluster.until_condition("large", namespace, "Running", "False", "PodsRefused")

    assert "maximum cpu usage per Container is 100m" in refused.condition("Running")["message"]


def test_a_missing_claim_heals_when_it_is_made(cluster: Cluster, namespace: str) -> None:
    one = {"count": 1, "resources": {"cpu": "900m", "memory": "1500Mi"}}
    cluster.apply([training_run("late", 5, workers=one, storage={"claimName": "late"})], namespace)
    cluster.until_condition("late", namespace, "Accepted", "False", "ClaimNotFound")

    cluster.apply([runs.claim() | {"metadata": {"name": "late"}}], namespace)

    cluster.until_ended("late", namespace, seconds=120)

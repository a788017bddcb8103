"""The rights that the install gives the operator are enough."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api import rights
from tests.api.cluster import Namespace
from tests.api.manifests import training_run
from tests.api.running import CountingCluster, operator
from tests.api.server import ApiServer, write_kubeconfig
from trainingrun_operator.options import Options


@pytest.fixture
def limited(
    api_server: ApiServer,
    namespace: Namespace,
    options: Options,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[CountingCluster]:
    """An operator for all namespaces that may do what manifests/install says, installed here."""
    kubeconfig = write_kubeconfig(
        tmp_path, api_server.url, rights.install(namespace).token, api_server.authority
    )
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    server = dataclasses.replace(api_server, kubeconfig=kubeconfig)
    with operator(server, dataclasses.replace(options, namespaces=())) as cluster:
        yield cluster


def test_a_run_is_made_and_followed_with_no_more_than_the_installed_rights(
    limited: CountingCluster, namespace: Namespace
) -> None:
    namespace.create(training_run(storage={"create": {"size": "1Gi"}}))
    namespace.until_job()
    namespace.start_workers()
    namespace.until_condition("Running", "True", "WorkersRunning")

    namespace.edit_run({"spec": {"policy": {"suspend": True}}})
    namespace.until_event("Suspended")

    reasons = {e["reason"] for e in namespace.events()}
    assert reasons == {"WorkersRunning", "Suspended"}


def test_a_stuck_pod_is_taken_off_its_node_with_no_more_than_the_installed_rights(
    limited: CountingCluster, namespace: Namespace
) -> None:
    namespace.make_claim()
    namespace.create(training_run(policy={"forceDeleteAfterSeconds": 0}))
    namespace.until_job()
    namespace.start_workers()
    namespace.until_condition("Running", "True", "WorkersRunning")

    namespace.evict_pod(0, grace_seconds=1)

    namespace.until_pod_gone(0)


def test_a_run_whose_time_is_over_is_deleted_with_no_more_than_the_installed_rights(
    limited: CountingCluster, namespace: Namespace
) -> None:
    namespace.make_claim()
    namespace.create(training_run(policy={"ttlSecondsAfterFinished": 0}))
    namespace.until_job()
    namespace.end_run_with('{"summary": {"steps": 40}}')

    namespace.until_gone()

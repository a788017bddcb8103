"""A right is taken away, and a webhook leads nowhere: both on the API server itself."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api import rights
from tests.api.cluster import WAIT_SECONDS, Namespace
from tests.api.conftest import options_for
from tests.api.manifests import Object
from tests.api.rights import Rights
from tests.api.running import CountingCluster, operator
from tests.api.server import ApiServer, write_kubeconfig
from tests.faults.faults import making, status_write
from tests.faults.invariants import Witness, end_state
from tests.faults.life import begin, succeed, train
from tests.faults.proxy import Proxy
from tests.faults.recovery import Recorder

SOME_TRIES = 3
"""The second comes with the echo of the status, the third by the operator's own waiting."""
WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
JOBS = "/apis/kubeflow.org/v1/namespaces/{}/pytorchjobs"


@pytest.fixture
def granted(namespace: Namespace) -> Rights:
    """What manifests/install gives, on the API server."""
    return rights.install(namespace)


@pytest.fixture
def limited(
    granted: Rights, server: ApiServer, namespace: Namespace, witness: Witness, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[CountingCluster]:  # fmt: skip
    """An operator that may do no more, behind the proxy, which only counts."""
    folder = tmp_path / "limited"
    folder.mkdir()
    kubeconfig = write_kubeconfig(folder, server.url, granted.token, server.authority)
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    with operator(
        dataclasses.replace(server, kubeconfig=kubeconfig), options_for(namespace)
    ) as cluster:
        yield cluster


def test_an_operator_without_the_right_to_make_jobs_says_so_until_it_has_it(
    granted: Rights, proxy: Proxy, limited: CountingCluster, namespace: Namespace,
    witness: Witness, unbroken: Object, recorder: Recorder,
) -> None:  # fmt: skip
    with granted.without("create", "pytorchjobs"):
        begin(namespace)
        refused = namespace.until_condition("JobCreated", "False", "JobRefused")
        proxy.until(lambda calls: len([*filter(making("pytorchjobs"), calls)]) >= SOME_TRIES)
    with recorder.within(35, 11, "403: the right to make jobs taken from the role"):
        namespace.until_condition("JobCreated", "True", "JobCreated")
    train(namespace)
    succeed(namespace)
    witness.check()
    assert end_state(namespace) == unbroken
    assert 'cannot create resource "pytorchjobs"' in refused["message"]


def test_an_operator_that_lost_all_its_rights_goes_on_when_it_has_them_again(
    granted: Rights, proxy: Proxy, limited: CountingCluster, namespace: Namespace,
    witness: Witness, unbroken: Object, recorder: Recorder,
) -> None:  # fmt: skip
    begin(namespace)
    train(namespace)
    with granted.without_any():
        before = len(proxy.calls)
        namespace.end_worker(1, 0, "")
        namespace.set_job_status("Created", "Succeeded")
        proxy.until(lambda calls: len([*filter(status_write, calls[before:])]) >= SOME_TRIES)
    with recorder.within(60, 11, "403: all rights taken while a run ends"):
        succeed(namespace)
    witness.check()
    assert end_state(namespace) == unbroken


def test_a_webhook_that_is_down_is_named_and_the_job_is_made_when_it_is_back(
    proxy: Proxy, started: CountingCluster, namespace: Namespace, witness: Witness,
    unbroken: Object, recorder: Recorder,
) -> None:  # fmt: skip
    with _webhook_that_is_down(namespace):
        begin(namespace)
        refused = namespace.until_condition("JobCreated", "False", "JobRefused")
        proxy.until(lambda calls: len([*filter(making("pytorchjobs"), calls)]) >= SOME_TRIES)
    with recorder.within(35, 13, "a webhook for PyTorchJobs that leads nowhere"):
        namespace.until_condition("JobCreated", "True", "JobCreated")
    train(namespace)
    succeed(namespace)
    witness.check()
    assert end_state(namespace) == unbroken
    assert "failed calling webhook" in refused["message"]


@contextlib.contextmanager
def _webhook_that_is_down(namespace: Namespace) -> Iterator[None]:
    """As the training operator's own, for this namespace only, while nobody answers it."""
    name = f"validator.{namespace.name}.example.org"
    webhook = {
        "name": name,
        "clientConfig": {"url": "https://127.0.0.1:9/validate"},
        "rules": [
            {
                "apiGroups": ["kubeflow.org"],
                "apiVersions": ["v1"],
                "operations": ["CREATE"],
                "resources": ["pytorchjobs"],
            }
        ],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace.name}},
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 1,
    }
    body = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [webhook],
    }
    namespace.http.post(WEBHOOKS, json=body).raise_for_status()
    _until_called(namespace)
    yield
    namespace.http.delete(f"{WEBHOOKS}/{name}").raise_for_status()


def _until_called(namespace: Namespace) -> None:
    """The API server hears of a webhook a moment after it was made."""
    worker = {"template": {"spec": {"containers": [{"name": "pytorch", "image": "any"}]}}}
    job = {
        "apiVersion": "kubeflow.org/v1",
        "kind": "PyTorchJob",
        "metadata": {"name": "probe"},
        "spec": {"pytorchReplicaSpecs": {"Worker": worker}},
    }
    path = f"{JOBS.format(namespace.name)}?dryRun=All"
    for _ in range(10 * WAIT_SECONDS):
        if namespace.http.post(path, json=job).status_code == 500:
            return
        threading.Event().wait(0.1)
    raise AssertionError("the webhook is not called")

"""The local cluster, the operator installed in it by helm, and a namespace for each test."""

from __future__ import annotations

import os
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from hack import install
from hack.cluster import diagnose, kubeconfig
from hack.kubectl import Kubectl
from tests.cluster import runs
from tests.cluster.api import Cluster

CHOSEN = "TRAININGRUN_TEST_KUBECONFIG"


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The local kind cluster, or the one named on purpose; never the user's current context."""
    path = Path(os.environ.get(CHOSEN) or kubeconfig())
    if not path.exists():
        pytest.exit(f"{path} does not exist: run `make cluster`, or set {CHOSEN}", returncode=2)
    return Cluster(Kubectl(path))


@pytest.fixture(scope="session", autouse=True)
def operator(cluster: Cluster) -> None:
    """The operator of this checkout, installed as the README says: by `helm install`."""
    install.operator(cluster.kubectl.kubeconfig)


@pytest.fixture
def namespace(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace with a claim that all workers share; its state is printed if the test fails."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    cluster.kubectl("create", "namespace", name)
    # What we render must be let in where a platform team is strict.
    cluster.kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    cluster.apply([runs.claim()], name)
    yield name
    if request.node.stash.get(FAILED, False):
        diagnose.dump(cluster.kubectl.kubeconfig, [name, install.NAMESPACE])
    cluster.kubectl("delete", "namespace", name, "--wait=false")


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember a failure, so that the namespace's fixture can print what the cluster says."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report

"""One API server for the session, with both CRDs; an operator and a namespace for each test."""

from __future__ import annotations

import contextlib
import os
import ssl
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from lightkube import ApiError, Client, KubeConfig, codecs
from lightkube.generic_resource import GenericNamespacedResource
from lightkube.resources.apiextensions_v1 import CustomResourceDefinition
from lightkube.resources.core_v1 import Namespace as CoreNamespace
from lightkube.resources.core_v1 import ServiceAccount

from tests.api.cluster import WAIT_SECONDS, Namespace
from tests.api.running import CountingCluster, operator
from tests.api.server import ApiServer, free_port, running
from trainingrun_operator.cluster.kubernetes import PyTorchJobResource, TrainingRunResource
from trainingrun_operator.options import Options

REPOSITORY = Path(__file__).parents[2]
CRDS = (
    REPOSITORY / "manifests" / "crds" / "trainingruns.yaml",
    Path(__file__).parent / "crds" / "kubeflow.org_pytorchjobs.yaml",
)


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A bare API server; KUBECONFIG names it, as the operator's login expects."""
    with running(tmp_path_factory.mktemp("apiserver")) as server:
        before = os.environ.get("KUBECONFIG")
        os.environ["KUBECONFIG"] = str(server.kubeconfig)
        _install_crds(server)
        yield server
        if before is None:
            del os.environ["KUBECONFIG"]
        else:
            os.environ["KUBECONFIG"] = before


@pytest.fixture(scope="session")
def client(api_server: ApiServer) -> Iterator[Client]:
    """An admin's client."""
    with _connected(api_server) as client:
        yield client


@pytest.fixture
def namespace(client: Client, api_server: ApiServer) -> Iterator[Namespace]:
    """A namespace of the test's own."""
    with fresh_namespace(client, api_server) as namespace:
        yield namespace


@contextlib.contextmanager
def fresh_namespace(client: Client, api_server: ApiServer) -> Iterator[Namespace]:
    """A new namespace, with the service account that a controller would make."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    client.create(CoreNamespace.from_dict({"metadata": {"name": name}}))
    client.create(ServiceAccount.from_dict({"metadata": {"name": "default", "namespace": name}}))
    with httpx2.Client(
        base_url=api_server.url,
        verify=ssl.create_default_context(cafile=str(api_server.authority)),
        headers={"Authorization": f"Bearer {api_server.token}"},
        timeout=10,
    ) as http:
        yield Namespace(client, http, name)


@pytest.fixture
def options(namespace: Namespace) -> Options:
    """An operator for the test's namespace, with its endpoint on a free port."""
    return options_for(namespace)


def options_for(namespace: Namespace) -> Options:
    """An operator for this namespace, with its endpoint on a free port."""
    port = free_port()
    return Options(
        image_cpu="example.org/trainer:1",
        namespace=namespace.name,
        namespaces=(namespace.name,),
        progress_url=f"https://127.0.0.1:{port}",
        progress_address=f"127.0.0.1:{port}",
        health_address="127.0.0.1:0",
    )


@pytest.fixture
def started(api_server: ApiServer, options: Options) -> Iterator[CountingCluster]:
    """A running operator, as the cluster that it talks to."""
    with operator(api_server, options) as cluster:
        yield cluster


@contextlib.contextmanager
def _connected(server: ApiServer) -> Iterator[Client]:
    client = Client(KubeConfig.from_file(str(server.kubeconfig)))
    yield client
    inner: Any = client._client
    inner.close()


def _install_crds(server: ApiServer) -> None:
    with _connected(server) as client:
        for path in CRDS:
            manifest = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
            client.create(codecs.from_dict(manifest))  # type: ignore[type-var]
            client.wait(
                CustomResourceDefinition,
                manifest["metadata"]["name"],
                for_conditions=["Established"],
            )
        for resource in (TrainingRunResource, PyTorchJobResource):
            _until_served(client, resource)


def _until_served(client: Client, resource: type[GenericNamespacedResource]) -> None:
    """An established kind may still be answered with 429 while its storage is made."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            list(client.list(resource, namespace="*"))
        except ApiError as error:
            if error.status.code != 429 or time.monotonic() > deadline:
                raise
            threading.Event().wait(0.1)
        else:
            return

"""The operator as the image runs it: a process of its own, for all namespaces."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import httpx2
import pytest

from tests.api.cluster import Namespace
from tests.api.manifests import training_run
from tests.api.server import ApiServer, free_port


@pytest.fixture
def health_url() -> str:
    return f"http://127.0.0.1:{free_port()}/healthz"


@pytest.fixture
def process(api_server: ApiServer, health_url: str) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m trainingrun_operator`, with no progress endpoint."""
    environment = {
        **os.environ,
        "KUBECONFIG": str(api_server.kubeconfig),
        "TRAININGRUN_IMAGE_CPU": "example.org/trainer:1",
        "TRAININGRUN_HEALTH_ADDRESS": health_url.removeprefix("http://").removesuffix("/healthz"),
        "TRAININGRUN_LOG_FORMAT": "json",
    }
    argv = [sys.executable, "-m", "trainingrun_operator"]
    with subprocess.Popen(argv, env=environment) as started:
        yield started
        started.kill()


def test_the_process_serves_all_namespaces_and_leaves_in_order_when_asked(
    process: subprocess.Popen[bytes], namespace: Namespace, health_url: str
) -> None:
    namespace.make_claim()
    namespace.create(training_run())
    namespace.until_condition("JobCreated", "True", "JobCreated")
    assert httpx2.get(health_url).status_code == 200

    process.send_signal(signal.SIGTERM)

    assert process.wait(20) == 0

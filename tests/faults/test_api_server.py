"""The API server goes and comes back, once with an older state."""

from __future__ import annotations

import dataclasses
import shutil
import signal
import threading
import time
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from tests.api.cluster import Namespace
from tests.api.manifests import Object, training_run
from tests.api.running import CountingCluster
from tests.api.server import ApiServer, free_port
from tests.faults.invariants import Witness, end_state
from tests.faults.life import begin, succeed, train
from tests.faults.process import operator_process
from tests.faults.proxy import Proxy
from tests.faults.recovery import Recorder
from trainingrun_operator.options import Options, Patience

FREQUENT = Patience(audit_interval=timedelta(seconds=1), second_look=timedelta(seconds=1))
PROBES = 100


@pytest.mark.timeout(600)
def test_an_operator_outlives_a_restart_of_the_api_server(
    outage_seconds: int, api_server: ApiServer, proxy: Proxy, started: CountingCluster,
    namespace: Namespace, witness: Witness, unbroken: Object, recorder: Recorder,
) -> None:  # fmt: skip
    begin(namespace)
    train(namespace)
    api_server.kube_apiserver.kill()
    back = time.monotonic() + outage_seconds
    # Not before the operator has tried in vain for so long.
    proxy.until(lambda calls: calls[-1].at >= back, outage_seconds + 60)
    api_server.kube_apiserver.start()
    api_server.wait_until_ready()
    with recorder.within(60, 4, f"API server killed, away for {outage_seconds} s and its start"):
        succeed(namespace)
    witness.check()
    assert end_state(namespace) == unbroken


@pytest.mark.timeout(120)
def test_an_older_state_of_the_cluster_is_followed_from_where_it_stands(
    api_server: ApiServer, options: Options, namespace: Namespace, witness: Witness,
    unbroken: Object, recorder: Recorder, tmp_path: Path,
) -> None:  # fmt: skip
    address = f"127.0.0.1:{free_port()}"
    options = dataclasses.replace(options, health_address=address)
    with operator_process(api_server, options, tmp_path / "log", FREQUENT) as process:
        begin(namespace)
        namespace.until_condition("JobCreated", "True", "JobCreated")
        _copy_state(api_server, tmp_path / "older")
        train(namespace)
        succeed(namespace)
        namespace.create(training_run("forgotten"))
        namespace.until_condition("JobCreated", "True", "JobCreated", name="forgotten")

        _restore_state(api_server, tmp_path / "older")
        with recorder.within(60, 5, "etcd restored to an older state (audit each 1 s, not 300 s)"):
            _until_unhealthy(f"http://{address}/healthz")
            process.kill()
            train(namespace)
            succeed(namespace)
            namespace.create(training_run("later"))
            namespace.until_condition("JobCreated", "True", "JobCreated", name="later")
    witness.check(restored=True)
    assert end_state(namespace) == unbroken
    assert {job["metadata"]["name"] for job in namespace.jobs()} == {"squad", "later", "strangers"}


def _until_unhealthy(url: str) -> None:
    """Ask as the kubelet does."""
    for _ in range(PROBES):
        if httpx2.get(url).status_code == 503:
            return
        threading.Event().wait(0.2)
    raise AssertionError("the operator has not noticed")


def _copy_state(server: ApiServer, to: Path) -> None:
    """Copy what etcd would find after a loss of power at this moment."""
    assert server.etcd.process is not None
    server.etcd.process.send_signal(signal.SIGSTOP)
    shutil.copytree(_data(server), to)
    server.etcd.process.send_signal(signal.SIGCONT)


def _restore_state(server: ApiServer, copy: Path) -> None:
    server.kube_apiserver.kill()
    server.etcd.kill()
    shutil.rmtree(_data(server))
    shutil.copytree(copy, _data(server))
    server.etcd.start()
    server.kube_apiserver.start()
    server.wait_until_ready()


def _data(server: ApiServer) -> Path:
    return server.authority.parent / "etcd"

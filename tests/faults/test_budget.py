"""What one run costs the API server, and how two hundred at once compare with bare jobs."""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from lightkube import Client

from tests.api.cluster import Namespace
from tests.api.conftest import fresh_namespace, options_for
from tests.api.manifests import Object, training_run
from tests.api.running import CountingCluster, operator
from tests.api.server import ApiServer
from tests.faults.faults import Call
from tests.faults.life import begin, succeed, train
from tests.faults.process import operator_process
from tests.faults.proxy import Proxy, proxied

MOST_WRITES, MOST_READS = 8, 2
IDLE_SECONDS = 60
RUNS = 200
CLIENTS = 4
MIB = 2**20


@dataclass(frozen=True)
class Idle:
    """An operator to whose runs nothing happens, and how often it had asked for anything."""

    proxy: Proxy
    calls: int
    since: float


@pytest.fixture(scope="module")
def idle(
    api_server: ApiServer, client: Client, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Idle]:
    """One run trains, one is suspended, while the other tests of this module go on."""
    folder = tmp_path_factory.mktemp("idle")
    with (
        fresh_namespace(client, api_server) as namespace,
        proxied(api_server, folder) as (proxy, server),
        pytest.MonkeyPatch.context() as environment,
    ):
        environment.setenv("KUBECONFIG", str(server.kubeconfig))
        with operator(server, options_for(namespace)):
            begin(namespace)
            namespace.create(training_run("waits", policy={"suspend": True}))
            namespace.until_condition("Suspended", "True", "Suspended", name="waits")
            train(namespace)
            namespace.until_event("WorkersRunning")
            yield Idle(proxy, len(proxy.calls), time.monotonic())


@pytest.mark.usefixtures("idle")
def test_one_life_costs_the_api_server_few_requests(
    proxy: Proxy, started: CountingCluster, namespace: Namespace, report: list[str]
) -> None:
    proxy.until_watching()
    before = len(proxy.calls)
    begin(namespace)
    train(namespace)
    namespace.until_event("WorkersRunning")
    succeed(namespace)
    namespace.until_event("Completed")

    calls = [call for call in proxy.calls[before:] if call.verb != "watch"]
    writes = [call for call in calls if call.writes]
    reads = [call for call in calls if not call.writes]
    report.append(f"one life: {len(writes)} writes ({_by_kind(writes)})")
    report.append(f"          {len(reads)} reads ({_by_kind(reads)})")
    assert len(writes) <= MOST_WRITES, _by_kind(writes)
    assert len(reads) <= MOST_READS, _by_kind(reads)


@pytest.mark.timeout(180)
def test_two_hundred_runs_at_once_all_get_their_job(
    api_server: ApiServer, fresh: Callable[[], Namespace], report: list[str], tmp_path: Path
) -> None:
    ours, bare = (dataclasses.replace(fresh(), patience_seconds=90) for _ in range(2))
    ours.make_claim()
    with operator_process(api_server, options_for(ours), tmp_path / "log") as process:
        ours.create(training_run("first"))
        ours.until_condition("JobCreated", "True", "JobCreated", name="first")
        model = {**ours.job("first"), "status": {}}
        alone = process.memory_bytes

        began = time.monotonic()
        _create(ours, (training_run(f"run-{number}") for number in range(RUNS)))
        ours.until_jobs(RUNS + 1)
        took = time.monotonic() - began
        crowded = process.memory_bytes
        assert process.deaths == 0

    began = time.monotonic()
    _create(bare, ({**model, "metadata": {"name": f"job-{n}"}} for n in range(RUNS)))
    bare.until_jobs(RUNS)
    raw = time.monotonic() - began
    report.append(
        f"{RUNS} runs: all jobs after {took:.1f} s, bare jobs {raw:.1f} s, ratio {took / raw:.1f}"
    )
    report.append(
        f"operator's memory: {alone / MIB:.0f} MiB with 1 run, {crowded / MIB:.0f} MiB with {RUNS}"
    )


@pytest.mark.timeout(120)
def test_a_run_that_trains_and_one_that_is_suspended_cost_nothing_for_a_minute(
    idle: Idle, report: list[str]
) -> None:
    idle.proxy.quiet_for(max(0, idle.since + IDLE_SECONDS - time.monotonic()))

    asked = [call for call in idle.proxy.calls[idle.calls :] if call.verb != "watch"]
    waited = time.monotonic() - idle.since
    report.append(f"idle: {len(asked)} requests in {waited:.0f} s, watches apart")
    assert waited >= IDLE_SECONDS
    assert asked == []


def _create(namespace: Namespace, manifests: Iterable[Object]) -> None:
    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(namespace.create, manifests))


def _by_kind(calls: Iterable[Call]) -> str:
    kinds = Counter(
        f"{call.verb} {call.resource}{'/' * bool(call.subresource)}{call.subresource}"
        for call in calls
    )
    return ", ".join(f"{number} {kind}" for kind, number in kinds.items())

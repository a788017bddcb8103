"""What one run costs the API server, and how two hundred at once compare with bare jobs."""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.api.cluster import Namespace, Object, training_run
from tests.api.conftest import options_for
from tests.api.running import CountingCluster
from tests.api.server import ApiServer
from tests.faults.faults import Call
from tests.faults.life import begin, succeed, train
from tests.faults.process import operator_process
from tests.faults.proxy import Proxy

MOST_WRITES, MOST_READS = 8, 2
IDLE_SECONDS = 10
RUNS = 200
CLIENTS = 4
MIB = 2**20


def test_one_life_costs_the_api_server_few_requests_and_none_while_nothing_happens(
    proxy: Proxy, started: CountingCluster, namespace: Namespace, report: list[str]
) -> None:
    proxy.until_watching()
    before = len(proxy.calls)
    begin(namespace)
    train(namespace)
    namespace.until_event("WorkersRunning")
    quiet = proxy.quiet_for(IDLE_SECONDS)
    succeed(namespace)
    namespace.until_event("Completed")

    calls = [call for call in proxy.calls[before:] if call.verb != "watch"]
    writes = [call for call in calls if call.writes]
    reads = [call for call in calls if not call.writes]
    report.append(f"one life: {len(writes)} writes ({_by_kind(writes)})")
    report.append(f"          {len(reads)} reads ({_by_kind(reads)})")
    assert quiet, f"asked within {IDLE_SECONDS} s of nothing happening"
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


def _create(namespace: Namespace, manifests: Iterable[Object]) -> None:
    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(namespace.create, manifests))


def _by_kind(calls: Iterable[Call]) -> str:
    kinds = Counter(
        f"{call.verb} {call.resource}{'/' * bool(call.subresource)}{call.subresource}"
        for call in calls
    )
    return ", ".join(f"{number} {kind}" for kind, number in kinds.items())

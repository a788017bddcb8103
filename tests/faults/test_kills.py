"""The operator is killed, again and again, doubled, or away: the run does not notice."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from lightkube import Client

from tests.api.cluster import Namespace
from tests.api.conftest import options_for
from tests.api.manifests import Object, training_run
from tests.api.running import operator
from tests.api.server import ApiServer
from tests.faults.faults import Call, Kill, nth_write
from tests.faults.invariants import Witness, collect_garbage, end_state
from tests.faults.life import begin, live, succeed, train
from tests.faults.process import operator_process
from tests.faults.proxy import Proxy
from tests.faults.recovery import Recorder
from trainingrun_operator.cluster.kubernetes import TrainingRunResource
from trainingrun_operator.options import Options

KILLS = 10
LAST_WRITE_SECONDS = 0.3
WRITTEN = {
    "secrets",
    "configmaps",
    "networkpolicies",
    "pytorchjobs",
    "trainingruns",
    "events",
}
"""All that an operator writes to from its start to the end of a run."""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_operator_killed_at_any_of_its_writes_leaves_the_same_run(
    after: bool, proxy: Proxy, server: ApiServer, fresh: Callable[[], Namespace],
    unbroken: Object, recorder: Recorder, tmp_path: Path,
) -> None:  # fmt: skip
    when = "after" if after else "before"
    swept: list[Call] = []
    longest = 0.0
    for number in itertools.count(1):
        namespace = fresh()
        proxy.script, proxy.killed_at = nth_write(number, Kill(after)), []
        with (
            Witness(namespace) as witness,
            operator_process(server, options_for(namespace), tmp_path / "log") as process,
        ):
            proxy.kill = process.kill
            began = time.monotonic()
            live(namespace)
            longest = max(longest, time.monotonic() - began)
            # The event of the end comes after the status by which a life is seen to have ended.
            proxy.quiet_for(LAST_WRITE_SECONDS)
            if proxy.killed_at:
                process.until_deaths(1)
                proxy.until_watching(since=proxy.calls.index(proxy.killed_at[0]))
                proxy.quiet_for(LAST_WRITE_SECONDS)
        witness.check()
        assert end_state(namespace) == unbroken, f"killed {when} write {number}"
        if not proxy.killed_at:
            break
        swept += proxy.killed_at
    recorder.took(longest, 60, 1, f"killed {when} a write: the longest of {len(swept)} whole lives")
    assert {call.resource for call in swept} == WRITTEN


def test_a_crash_loop_of_the_operator_disturbs_no_training(
    proxy: Proxy, server: ApiServer, options: Options, namespace: Namespace, witness: Witness,
    unbroken: Object, recorder: Recorder, tmp_path: Path,
) -> None:  # fmt: skip
    with operator_process(server, options, tmp_path / "log") as process:
        begin(namespace)
        train(namespace)
        before = namespace.job()["metadata"]
        for number in range(KILLS):
            calls = len(proxy.calls)
            process.kill()
            process.until_deaths(number + 1)
            proxy.until_watching(since=calls)
        with recorder.within(60, 2, f"crash loop of {KILLS} kills"):
            succeed(namespace)
        assert process.deaths == KILLS
    witness.check()
    after = namespace.job()["metadata"]
    assert (after["uid"], after["generation"]) == (before["uid"], before["generation"])
    assert end_state(namespace) == unbroken


def test_two_operators_at_once_do_nothing_twice(
    server: ApiServer, options: Options, namespace: Namespace, witness: Witness,
    unbroken: Object, recorder: Recorder,
) -> None:  # fmt: skip
    with (
        operator(server, options),
        operator(server, options_for(namespace)),
        recorder.within(60, 3, "two operators at once"),
    ):
        live(namespace)
    witness.check()
    assert end_state(namespace) == unbroken
    told = [event["reason"] for event in namespace.events()]
    assert len(told) == len(set(told)), told


def test_a_run_deleted_while_the_operator_is_away_leaves_nothing_and_stays_away(
    server: ApiServer, options: Options, namespace: Namespace, client: Client,
    witness: Witness, recorder: Recorder,
) -> None:  # fmt: skip
    with operator(server, options):
        begin(namespace)
        namespace.until_condition("JobCreated", "True", "JobCreated")
    client.delete(TrainingRunResource, "squad", namespace=namespace.name)
    collect_garbage(namespace)

    with (
        operator(server, options) as cluster,
        recorder.within(60, 14, "run deleted while the operator is away"),
    ):
        namespace.create(training_run("later"))
        namespace.until_condition("JobCreated", "True", "JobCreated", name="later")

    witness.check()
    assert cluster.written("squad") == []
    assert {job["metadata"]["name"] for job in namespace.jobs()} == {"later", "strangers"}

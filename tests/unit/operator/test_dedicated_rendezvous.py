"""A rendezvous in a pod of its own: what is made of it, and when it stops and goes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.operator.clusters import FakeCluster, FakeWorld
from tests.unit.operator.runs import SETTINGS, run
from tests.unit.operator.test_reconciler import RUN, Bench
from trainingrun_operator.plan import LaunchPlan, launch_plan
from trainingrun_operator.plan.rendezvous import dedicated_rendezvous
from trainingrun_operator.render import render

DEDICATED = {"elastic": {"max": 1, "rendezvous": "dedicated"}}
LABEL_LENGTH = 63


def planned() -> LaunchPlan:
    return launch_plan(run(workers=DEDICATED), SETTINGS)


def made(kind: str) -> dict[str, Any]:
    return next(document for document in render(planned()) if document["kind"] == kind)


@pytest.fixture
def bench() -> Bench:
    body = {**RUN, "spec": {**RUN["spec"], "workers": DEDICATED}}
    return Bench(FakeCluster(body, claims={"data": "Bound"}), FakeWorld(body))


def suspended(bench: Bench) -> dict[str, Any]:
    shown = dict(bench.world.shown or {})
    return {**shown, "spec": {**shown["spec"], "policy": {"suspend": True}}}


def test_the_workers_find_it_by_its_service() -> None:
    service, elastic = made("Service"), made("PyTorchJob")["spec"]["elasticPolicy"]
    assert elastic["rdzvHost"] == service["metadata"]["name"]
    chosen = service["spec"]["selector"]["batch.kubernetes.io/job-name"]
    assert chosen == made("Job")["metadata"]["name"]


def test_the_policy_that_closes_the_workers_closes_it_too() -> None:
    chosen = made("NetworkPolicy")["spec"]["podSelector"]["matchLabels"]
    labels = made("Job")["spec"]["template"]["metadata"]["labels"]
    assert chosen.items() <= labels.items()


def test_it_holds_neither_the_claim_nor_a_token() -> None:
    volumes = made("Job")["spec"]["template"]["spec"]["volumes"]
    assert {volume["name"] for volume in volumes} == {"config", "tmp"}


def test_each_attempt_has_one_of_its_own_within_the_length_of_a_label() -> None:
    names = {dedicated_rendezvous("n" * 50, "hash", attempt).job for attempt in range(100)}
    assert len(names) == 100
    assert max(map(len, names)) <= LABEL_LENGTH


async def test_it_is_made_before_the_job_that_needs_it(bench: Bench) -> None:
    await bench.look()
    made = [call for call in bench.cluster.calls if call.startswith("apply")]
    assert made[-3:] == ["apply Service", "apply Job", "apply PyTorchJob"]


async def test_it_is_suspended_with_its_run(bench: Bench) -> None:
    await bench.start()
    bench.world.shown = suspended(bench)
    await bench.look()
    job = bench.world.shown_job
    assert job is not None
    assert f"suspend rendezvous {job.rendezvous} True" in bench.cluster.calls
    assert "adjust 1 True" in bench.cluster.calls


async def test_it_goes_with_a_job_that_is_made_anew(bench: Bench) -> None:
    await bench.start()
    job = bench.world.shown_job
    assert job is not None
    bench.world.shown_job = replace(job, spec_hash="of another spec")
    await bench.look()
    deleted = [call for call in bench.cluster.calls if call.startswith("delete")]
    assert deleted == [f"delete rendezvous {job.rendezvous}", f"delete job {job.uid}"]

"""What is asked of the API server about a run, and what is not asked twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.operator.clusters import FakeCluster
from tests.unit.operator.lifecycle.seen import NOW, WISH, job, pod, seen, wish
from trainingrun_operator.cluster.protocol import ForbiddenError
from trainingrun_operator.gathering import Gathering
from trainingrun_operator.lifecycle.observed import Claim

SINCE = NOW - timedelta(minutes=1)


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster({}, claims={"data": "Bound"}, priority_classes={"batch"})


async def test_a_run_with_its_job_and_pods_is_asked_nothing_about(cluster: FakeCluster) -> None:
    await Gathering(cluster).gathered(seen(job("Running"), pod()), WISH, NOW)

    assert cluster.calls == []


async def test_nothing_more_is_asked_about_a_run_whose_claim_is_missing(
    cluster: FakeCluster,
) -> None:
    cluster.claims = {}

    found = await Gathering(cluster).gathered(seen(None), wish(priority_class="batch"), NOW)

    assert found.claim is Claim.MISSING
    assert cluster.calls == ["read data"]


async def test_a_priority_class_that_is_there_is_asked_for_once(cluster: FakeCluster) -> None:
    gathering, wanted = Gathering(cluster), replace(WISH, claim=None, priority_class="batch")

    for _ in range(2):
        found = await gathering.gathered(seen(None), wanted, NOW)

    assert not found.priority_class_missing
    assert cluster.calls.count("read batch") == 1


async def test_a_priority_class_that_is_missing_is_asked_for_again(cluster: FakeCluster) -> None:
    gathering, wanted = Gathering(cluster), replace(WISH, claim=None, priority_class="gold")

    for _ in range(2):
        found = await gathering.gathered(seen(None), wanted, NOW)

    assert found.priority_class_missing
    assert cluster.calls.count("read gold") == 2


async def test_a_suspended_run_takes_nothing_of_a_quota(cluster: FakeCluster) -> None:
    await Gathering(cluster).gathered(seen(None), wish(suspend=True), NOW)

    assert cluster.calls == ["read data"]


async def test_what_may_not_be_asked_stands_in_no_runs_way(cluster: FakeCluster) -> None:
    cluster.forbidden = {"read batch", "list quotas"}

    found = await Gathering(cluster).gathered(seen(None), wish(priority_class="batch"), NOW)

    assert not found.priority_class_missing
    assert found.quotas == ()


async def test_a_claim_that_may_not_be_asked_for_is_an_error_to_tell(cluster: FakeCluster) -> None:
    cluster.forbidden = {"read data"}

    with pytest.raises(ForbiddenError):
        await Gathering(cluster).gathered(seen(None), WISH, NOW)


async def test_pods_that_are_missing_for_long_are_asked_about(cluster: FakeCluster) -> None:
    cluster.warning = "pods is forbidden: maximum cpu usage per Container is 1"
    lately = seen(job("Created"), pods_missing_since=NOW - timedelta(seconds=9))
    long = seen(job("Created"), pods_missing_since=SINCE)

    quiet = await Gathering(cluster).gathered(lately, WISH, NOW)
    told = await Gathering(cluster).gathered(long, WISH, NOW)

    assert quiet.pods_refused is None
    assert told.pods_refused == cluster.warning
    assert cluster.calls == ["list warnings of job-uid"]

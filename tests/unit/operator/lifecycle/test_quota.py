"""Quotas: which of them count a run's workers, and what they leave."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.operator.lifecycle.seen import NOW, seen, verdict, wish
from trainingrun_operator.lifecycle.checks import decide
from trainingrun_operator.lifecycle.quota import Quota, Share, shortfall

SHARE = Share(cpus=Decimal(4), memory=Decimal(8 * 2**30))


def quota(hard: dict[str, str], used: dict[str, str] | None = None, **spec: Any) -> Quota | None:
    status = {"hard": hard, "used": used} if used else {}
    raw = {"metadata": {"name": "team"}, "spec": {"hard": hard, **spec}, "status": status}
    return Quota.parse(raw)


@pytest.mark.parametrize(
    ("hard", "used", "fits"),
    [
        ({"requests.cpu": "8"}, {}, True),
        ({"requests.cpu": "7900m"}, {}, False),
        ({"cpu": "10"}, {"cpu": "2500m"}, False),
        ({"limits.cpu": "10"}, {"limits.cpu": "2"}, True),
        ({"limits.memory": "16Gi"}, {}, True),
        ({"memory": "17179869183"}, {}, False),
        ({"requests.memory": "1Pi"}, {"requests.memory": "0.9Ei"}, False),
        ({"pods": "10"}, {"pods": "9"}, False),
        ({"count/pods": "2"}, {}, True),
        ({"requests.nvidia.com/gpu": "0", "services": "0"}, {}, True),
        ({"requests.cpu": "a lot"}, {}, True),
    ],
)
def test_two_workers_fit_or_not(hard: dict[str, str], used: dict[str, str], fits: bool) -> None:
    found = quota(hard, used)

    assert found is not None
    assert (shortfall([found], 2, SHARE) is None) is fits


@pytest.mark.parametrize(
    ("spec", "counts"),
    [
        ({"scopes": ["NotTerminating", "NotBestEffort"]}, True),
        ({"scopes": ["BestEffort"]}, False),
        ({"scopes": ["Terminating"]}, False),
        ({"scopeSelector": {"matchExpressions": []}}, False),
    ],
)
def test_a_quota_counts_what_a_worker_surely_is(spec: dict[str, Any], counts: bool) -> None:
    assert (quota({"pods": "1"}, **spec) is not None) is counts


def test_a_quota_that_is_too_small_comes_before_one_that_is_used_up() -> None:
    small, full = quota({"pods": "1"}), quota({"cpu": "8"}, {"cpu": "8"})
    assert small is not None
    assert full is not None

    assert str(shortfall([full, small], 2, SHARE)) == (
        "spec.workers: the run needs 2 of pods, and quota team allows 1; lower "
        "spec.workers.resources or spec.workers.count, or have the quota raised"
    )
    assert str(shortfall([full], 2, SHARE)) == (
        "spec.workers: the run needs 8 of cpu, and quota team has 0 of 8 left; it starts by itself "
        "when enough is free"
    )


def test_an_elastic_run_needs_room_for_its_fewest_workers_only() -> None:
    found = quota({"requests.cpu": "4"})
    assert found is not None

    elastic = decide(seen(None, quotas=(found,)), wish(min_workers=1, share=SHARE), NOW)
    fixed = decide(seen(None, quotas=(found,)), wish(min_workers=2, share=SHARE), NOW)

    assert verdict(elastic)[0] == "JobCreated"
    assert verdict(fixed) == ("Accepted", "False", "QuotaExceeded")
    assert fixed.recheck_after is not None

"""What Prometheus is given, and that what is built upon it exists."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tests.unit.operator.clusters import KEY, Clock
from trainingrun_operator.health import Health, Versions
from trainingrun_operator.metrics.runs import Runs
from trainingrun_operator.metrics.working import Vitals, Working

FILES = Path(__file__).parents[3] / "charts" / "trainingrun-operator" / "files"
METRIC = re.compile(r"\btrainingrun_[a-z_]+\b")
RUNNING: dict[str, Any] = {
    "phase": "Running",
    "progress": {"step": 120, "totalSteps": 500, "loss": 1.5, "samplesPerSecond": 20.0},
    "workers": {"running": 2},
    "checkpoints": {"lastGood": 100},
    "restarts": {
        "total": 2,
        "recent": [
            {
                "at": "2026-01-01T00:00:00Z",
                "cause": "RankFailed",
                "fromStep": 80,
                "resumedStep": 50,
                "lostSteps": 30,
                "secondsToFirstStep": 6.5,
            }
        ],
    },
}
NAMED = {"namespace": KEY.namespace, "run": KEY.name}


class Bench:
    """A registry as the operator has it, over one run whose status the test sets."""

    def __init__(self) -> None:
        self.clock, self.registry = Clock(), CollectorRegistry()
        self.status: dict[str, Any] = RUNNING
        self.working = Working(self.registry)
        self.health = Health(self.nothing, dict, timedelta(), timedelta(), self.clock)
        self.registry.register(Runs(lambda: [(KEY, {"status": self.status})], self.clock))
        self.registry.register(Vitals(lambda: 3, self.health, self.clock))

    async def nothing(self) -> Versions:
        return {}

    async def nothing_to_do(self, _key: str) -> timedelta | None:
        return None

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)

    def names(self) -> set[str]:
        text = generate_latest(self.registry).decode()
        return {s.name for family in text_string_to_metric_families(text) for s in family.samples}


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trainingrun_step", 120),
        ("trainingrun_total_steps", 500),
        ("trainingrun_loss", 1.5),
        ("trainingrun_samples_per_second", 20),
        ("trainingrun_workers_running", 2),
        ("trainingrun_checkpoint_step", 100),
        ("trainingrun_restarts_total", 2),
        ("trainingrun_lost_steps_total", 30),
        ("trainingrun_recovery_seconds", 6.5),
        ("trainingrun_stalled", 0),
    ],
)
def test_a_run_that_trains_is_measured_by_its_name(name: str, value: float, bench: Bench) -> None:
    assert bench.value(name, **NAMED) == value


def test_a_run_that_is_over_counts_in_its_phase_alone(bench: Bench) -> None:
    bench.status = {**RUNNING, "phase": "Succeeded"}
    assert bench.value("trainingrun_runs", phase="Succeeded") == 1
    assert bench.value("trainingrun_step", **NAMED) is None


def test_a_checkpoint_ages_until_there_is_a_newer_one(bench: Bench) -> None:
    name = "trainingrun_checkpoint_age_seconds"
    assert bench.value(name, **NAMED) == 0
    bench.clock.forward(60)
    assert bench.value(name, **NAMED) == 60
    bench.status = {**RUNNING, "checkpoints": {"lastGood": 200}}
    assert bench.value(name, **NAMED) == 0


def test_a_stalled_run_says_so(bench: Bench) -> None:
    stalled = {
        "type": "Progressing",
        "status": "False",
        "reason": "Stalled",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    bench.status = {**RUNNING, "conditions": [stalled]}
    assert bench.value("trainingrun_stalled", **NAMED) == 1


async def test_reconciles_are_timed_by_how_they_ended(bench: Bench) -> None:
    async def fails(_: str) -> timedelta | None:
        raise ValueError

    async def works(_: str) -> timedelta | None:
        return timedelta(seconds=5)

    assert await bench.working.timed(works)("a") == timedelta(seconds=5)
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it is, it goes on
        await bench.working.timed(fails)("a")

    for result in ("done", "error"):
        assert bench.value("trainingrun_operator_reconcile_seconds_count", result=result) == 1


def test_requests_are_counted_by_method_and_code(bench: Bench) -> None:
    for code in (200, 200, 409):
        bench.working.answered("PATCH", code)
    name = "trainingrun_operator_api_requests_total"
    assert bench.value(name, method="PATCH", code="200") == 2
    assert bench.value(name, method="PATCH", code="409") == 1


async def test_the_watches_age_until_an_audit_finds_them_sound(bench: Bench) -> None:
    bench.clock.forward(400)
    assert bench.value("trainingrun_operator_watch_age_seconds") == 400
    await bench.health.audit()
    assert bench.value("trainingrun_operator_watch_age_seconds") == 0
    assert bench.value("trainingrun_operator_watches_sound") == 1
    assert bench.value("trainingrun_operator_queue_length") == 3


async def test_alerts_and_dashboard_use_metrics_that_there_are(bench: Bench) -> None:
    await bench.working.timed(bench.nothing_to_do)("a")
    bench.working.answered("GET", 200)
    rules = yaml.safe_load((FILES / "alerts.yaml").read_text())
    expressions = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    panels = json.loads((FILES / "dashboard.json").read_text())["panels"]
    expressions += [target["expr"] for panel in panels for target in panel["targets"]]

    used = {name for expression in expressions for name in METRIC.findall(expression)}

    assert len(used) > 8
    assert used <= bench.names()

"""The runs as their statuses tell of them: read when scraped, so that no series outlives its run.

Series with a run's name are given for runs that are not over: their number is bounded by what the
cluster can train at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from trainingrun_operator.api.conditions import ConditionType, Phase, Reason
from trainingrun_operator.api.status import Status
from trainingrun_operator.keys import Key
from trainingrun_operator.lifecycle.observed import parse_status

OVER: Final = frozenset({Phase.SUCCEEDED, Phase.FAILED})
LABELS: Final = ("namespace", "run")

Gauge = Callable[[Status], float | None]

GAUGES: Final[Mapping[str, tuple[str, Gauge]]] = {
    "step": ("Optimiser steps done.", lambda s: s.progress.step if s.progress else None),
    "total_steps": ("Steps to do.", lambda s: s.progress.total_steps if s.progress else None),
    "loss": ("Last logged training loss.", lambda s: s.progress.loss if s.progress else None),
    "samples_per_second": (
        "Throughput of all ranks together.",
        lambda s: s.progress.samples_per_second if s.progress else None,
    ),
    "workers_running": ("Workers whose container runs.", lambda s: s.workers.running),
    "checkpoint_step": (
        "Step of the newest verified checkpoint.",
        lambda s: s.checkpoints.last_good,
    ),
    "stalled": ("1 while no step is done for too long.", lambda s: float(_stalled(s))),
    "recovery_seconds": (
        "From the last loss of ranks to the first step after it.",
        lambda s: s.restarts.recent[-1].seconds_to_first_step if s.restarts.recent else None,
    ),
}
COUNTERS: Final[Mapping[str, tuple[str, Callable[[Status], float]]]] = {
    "restarts": ("Rank and pod restarts together.", lambda s: s.restarts.total),
    "lost_steps": (
        "Steps done again after the newest 16 restarts.",
        lambda s: sum(restart.lost_steps for restart in s.restarts.recent),
    ),
}


class Runs(Collector):
    """Collects from the runs that the watches show."""

    def __init__(
        self,
        runs: Callable[[], Iterable[tuple[Key, Mapping[str, Any]]]],
        clock: Callable[[], datetime],
    ) -> None:
        self._runs = runs
        self._clock = clock
        self._saved: dict[Key, tuple[int, datetime]] = {}
        """The newest checkpoint of each run, and when it was first seen here."""

    def collect(self) -> Iterator[Metric]:
        statuses = {key: parse_status(raw) for key, raw in self._runs()}
        phases = Counter(status.phase or Phase.PENDING for status in statuses.values())
        by_phase = GaugeMetricFamily("trainingrun_runs", "Runs by phase.", labels=("phase",))
        for phase in Phase:
            by_phase.add_metric((phase,), phases[phase])
        yield by_phase
        living = {key: status for key, status in statuses.items() if status.phase not in OVER}
        for name, (text, value) in GAUGES.items():
            gauge = GaugeMetricFamily(f"trainingrun_{name}", text, labels=LABELS)
            for key, status in living.items():
                if (number := value(status)) is not None:
                    gauge.add_metric((key.namespace, key.name), number)
            yield gauge
        for name, (text, count) in COUNTERS.items():
            counter = CounterMetricFamily(f"trainingrun_{name}", text, labels=LABELS)
            for key, status in living.items():
                counter.add_metric((key.namespace, key.name), count(status))
            yield counter
        yield self._ages(living)

    def _ages(self, living: Mapping[Key, Status]) -> Metric:
        now = self._clock()
        ages = GaugeMetricFamily(
            "trainingrun_checkpoint_age_seconds",
            "Time since the operator first saw the newest checkpoint, of runs that train.",
            labels=LABELS,
        )
        self._saved = {key: saved for key, saved in self._saved.items() if key in living}
        for key, status in living.items():
            step = status.checkpoints.last_good
            if step is None:
                continue
            known, since = self._saved.get(key, (None, now))
            since = since if known == step else now
            self._saved[key] = (step, since)
            if status.phase is Phase.RUNNING:
                ages.add_metric((key.namespace, key.name), (now - since).total_seconds())
        return ages


def _stalled(status: Status) -> bool:
    return any(
        c.type is ConditionType.PROGRESSING and c.reason == Reason.STALLED
        for c in status.conditions
    )

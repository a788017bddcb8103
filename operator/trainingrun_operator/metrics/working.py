"""How the operator itself is doing: reconciles, the queue, requests, whether the watches live."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

K = TypeVar("K")

RECONCILE_BUCKETS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30)
"""Seconds: one that finds nothing to do takes one, one that makes objects some hundred ms."""


class Working:
    """Counts what is done."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._reconcile = Histogram(
            "trainingrun_operator_reconcile_seconds",
            "Time of one look at one run, by whether it came to its end.",
            ["result"],
            buckets=RECONCILE_BUCKETS,
            registry=registry,
        )
        self._requests = Counter(
            "trainingrun_operator_api_requests",
            "Requests to the API server by method and status code, watches not counted.",
            ["method", "code"],
            registry=registry,
        )

    def timed(
        self, work: Callable[[K], Awaitable[timedelta | None]]
    ) -> Callable[[K], Awaitable[timedelta | None]]:
        """The same work, timed."""

        async def timed(key: K) -> timedelta | None:
            began, result = time.perf_counter(), "error"
            try:
                again = await work(key)
                result = "done"
            finally:
                self._reconcile.labels(result).observe(time.perf_counter() - began)
            return again

        return timed

    def answered(self, method: str, code: int) -> None:
        """The API server has answered a request."""
        self._requests.labels(method, str(code)).inc()


class Vital(Protocol):
    """What the audit of the watches knows."""

    trouble: str | None
    sound_at: datetime


class Vitals(Collector):
    """Read when scraped: the length of the queue, and whether the watches live."""

    def __init__(
        self, queued: Callable[[], int], health: Vital, clock: Callable[[], datetime]
    ) -> None:
        self._queued = queued
        self._health = health
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "trainingrun_operator_queue_length",
            "Runs that are due to be looked at.",
            value=self._queued(),
        )
        yield GaugeMetricFamily(
            "trainingrun_operator_watch_age_seconds",
            "Time since an audit last proved that the watches show all there is.",
            value=(self._clock() - self._health.sound_at).total_seconds(),
        )
        yield GaugeMetricFamily(
            "trainingrun_operator_watches_sound",
            "0 once an audit has proved a watch blind, else 1.",
            value=0 if self._health.trouble else 1,
        )

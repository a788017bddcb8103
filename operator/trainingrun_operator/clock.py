"""The operator's clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def utc_now() -> datetime:
    """The machine's time of day."""
    return datetime.now(UTC)


class SteadyClock:
    """The time of day when it was made, and what has passed since.

    A machine's clock is set now and then. That is no time that passed: no run has stalled or used
    up its deadline by it. What is slewed rather than set is followed by the monotonic clock too.
    """

    def __init__(
        self,
        wall: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`monotonic` gives seconds from any fixed moment."""
        self._monotonic = monotonic
        self._began = wall()
        self._began_at = monotonic()

    def __call__(self) -> datetime:
        return self._began + timedelta(seconds=self._monotonic() - self._began_at)

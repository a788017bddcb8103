"""The operator's clock shows what has passed, whatever the machine's clock is set to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from trainingrun_operator.clock import SteadyClock

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_the_clock_goes_on_from_the_time_of_day_at_which_it_was_made() -> None:
    seconds = iter((100.0, 107.5))
    clock = SteadyClock(lambda: NOON, lambda: next(seconds))
    assert clock() == NOON + timedelta(seconds=7.5)


def test_setting_the_machines_clock_is_no_time_that_passed() -> None:
    times = iter((NOON, NOON + timedelta(minutes=10)))
    clock = SteadyClock(lambda: next(times), lambda: 100.0)
    assert clock() == NOON

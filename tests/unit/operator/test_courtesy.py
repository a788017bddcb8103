"""An API server that asks to be left alone is left alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from trainingrun_operator.cluster.courtesy import Courtesy
from trainingrun_operator.cluster.errors import LONGEST_PEACE, retry_after
from trainingrun_operator.cluster.protocol import ConflictError, UnavailableError


class Time:
    """Seconds that stand until they are moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("5", 5), ("0", 0), ("", 0), ("soon", 0), ("-5", 0), ("999999999", 300)],
)
def test_the_header_is_read_as_seconds_within_reason(said: str, seconds: int) -> None:
    assert retry_after({"Retry-After": said} if said else {}) == timedelta(seconds=seconds)
    assert retry_after({"Retry-After": said}) <= LONGEST_PEACE


def test_nothing_is_sent_until_the_time_is_over() -> None:
    time = Time()
    courtesy, sent = Courtesy(time), []
    with pytest.raises(UnavailableError), courtesy.towards("first"):
        raise UnavailableError("busy", timedelta(seconds=5))

    time.now += 4
    with pytest.raises(UnavailableError) as put_off, courtesy.towards("second"):
        sent.append("second")
    time.now += 1
    with courtesy.towards("third"):
        sent.append("third")

    assert put_off.value.retry_after == timedelta(seconds=1)
    assert sent == ["third"]


@pytest.mark.parametrize("error", [UnavailableError("away"), ConflictError("changed")])
def test_other_errors_ask_for_no_peace(error: Exception) -> None:
    courtesy = Courtesy(Time())
    with pytest.raises(type(error)), courtesy.towards("first"):
        raise error

    with courtesy.towards("second"):
        pass

"""A launcher that is asked to leave notes it, and goes on until it can leave in order."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from trainingrun_trainer.launcher.leaving import Leaving


@pytest.fixture
def leaving() -> Iterator[Leaving]:
    """Listens for the test; the handlers that were there before come back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield Leaving.listen()
    for number, handler in before.items():
        signal.signal(number, handler)


def test_nobody_is_asked_at_first(leaving: Leaving) -> None:
    assert not leaving()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks(leaving: Leaving, number: signal.Signals) -> None:
    signal.raise_signal(number)
    assert leaving()

"""Times as columns show them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from trainingrun_operator.lifecycle.words import duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0s"), (-5, "0s"), (45, "45s"), (90, "1m30s"), (660, "11m"), (7500, "2h5m"),
        (7200, "2h"), (90000, "1d1h"), (864000, "10d"),
    ],
)  # fmt: skip
def test_a_time_has_at_most_two_units(seconds: int, words: str) -> None:
    assert duration(timedelta(seconds=seconds)) == words

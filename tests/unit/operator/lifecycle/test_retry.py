"""The annotation by which a failed run is tried again."""

from __future__ import annotations

import pytest

from tests.unit.operator.lifecycle.seen import FAILED, NOW, WISH, seen, wish
from trainingrun_operator.lifecycle.checks import decide


@pytest.mark.parametrize(
    ("written", "asked"),
    [("1", 1), ("1000", 1000), ("0", 0), ("1001", 0), ("yes", 0), ("\uff11", 0)],
)
def test_a_retry_is_a_number_from_1_to_1000(written: str, asked: int) -> None:
    wanted = WISH.with_annotations({"trainingrun.io/retry": written})

    assert (wanted.retry, wanted.retry_problem is None) == (asked, asked > 0)


def test_a_failed_run_whose_spec_was_changed_is_told_how_to_go_on() -> None:
    message = decide(seen(None, status=FAILED), wish(generation=4), NOW).verdicts[0].message

    assert 'set annotation trainingrun.io/retry to "1"' in message

"""The printed decision table says what the checks do."""

from __future__ import annotations

from pathlib import Path

import pytest

from hack.lifecycle_reference import row
from tests.unit.operator.lifecycle.seen import NOW
from tests.unit.operator.lifecycle.test_checks import TABLE
from trainingrun_operator.api.conditions import Reason
from trainingrun_operator.lifecycle.checks import CHECKS, Check
from trainingrun_operator.lifecycle.decision import (
    AdjustJob,
    ApplyChildren,
    DeleteJob,
    DeletePods,
)
from trainingrun_operator.lifecycle.observed import Observed
from trainingrun_operator.lifecycle.wish import Wish

PAGE = (Path(__file__).parents[4] / "docs" / "lifecycle.md").read_text()
WORDS = {
    ApplyChildren: "makes the run's objects",
    AdjustJob: "the job",
    DeleteJob: "deletes the job",
    DeletePods: "deletes the pods",
}


def deciding(observed: Observed, wanted: Wish) -> Check:
    return next(check for check in CHECKS if check(observed, wanted, NOW) is not None)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_every_check_has_its_row(check: Check) -> None:
    assert f"| `{check.__name__}` | {row(check).when} |" in PAGE


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_explained(reason: Reason) -> None:
    assert reason in PAGE


@pytest.mark.parametrize(("observed", "wanted", "said", "done"), TABLE.values(), ids=TABLE)
def test_a_row_says_what_its_check_says_and_does(
    observed: Observed, wanted: Wish, said: tuple[str, str, str], done: tuple[object, ...]
) -> None:
    kind, status, reason = said
    told = row(deciding(observed, wanted))

    assert f"{kind}={status}" in told.says
    assert reason in told.says
    assert [type(action) for action in done if WORDS[type(action)] not in told.does] == []

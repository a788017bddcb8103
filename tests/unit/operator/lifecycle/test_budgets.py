"""What counts against the budget of lost pods."""

from __future__ import annotations

from trainingrun_operator.api.status import Progress, Restarts, Status
from trainingrun_operator.lifecycle.restarts import with_lost_pods


def at(step: int, **counts: int) -> Status:
    return Status(progress=Progress(step=step), restarts=Restarts(**counts))


def test_a_lost_pod_is_counted_and_charged_at_its_step() -> None:
    after = with_lost_pods(at(30, ranks=2), 1, None)
    assert (after.total, after.pods, after.pods_charged) == (3, 1, 1)
    assert after.pods_charged_at_step == 30


def test_steps_without_a_loss_make_the_budget_whole_but_forget_no_count() -> None:
    before = at(130, pods=4, pods_charged=4, pods_charged_at_step=30)
    after = with_lost_pods(before, 1, 100)
    assert (after.pods, after.pods_charged) == (5, 1)


def test_a_loss_before_that_adds_to_those_that_count() -> None:
    before = at(129, pods=4, pods_charged=4, pods_charged_at_step=30)
    assert with_lost_pods(before, 1, 100).pods_charged == 5


def test_without_being_asked_to_nothing_is_forgotten() -> None:
    before = at(1_000_000, pods=4, pods_charged=4)
    assert with_lost_pods(before, 1, None).pods_charged == 5

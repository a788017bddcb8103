"""What a round means to those who form it."""

from __future__ import annotations

from trainingrun_trainer.launcher.arrivals import Arrival, EndKind, History, RoundEnd
from trainingrun_trainer.launcher.judgement import Budget, judge
from trainingrun_trainer.report import ExitCode, RestartCause

TWO = History(workers=2)


def came(
    worker: int,
    kind: EndKind,
    *,
    at: float = 10.0,
    step: int = 7,
    detail: str = "",
    signature: str = "",
    history: History = TWO,
) -> Arrival:
    end = RoundEnd(kind=kind, at=at, step=step, detail=detail, signature=signature, rank=worker)
    fresh = kind is EndKind.FRESH
    return Arrival(
        worker=worker,
        incarnation="a",
        serial=1,
        end=end,
        history=History() if fresh else history,
    )


def cause(*arrivals: Arrival) -> RestartCause | None:
    restart = judge(arrivals, Budget(3)).restart
    return restart.cause if restart else None


def test_the_first_round_is_no_restart() -> None:
    assert cause(came(0, EndKind.FRESH), came(1, EndKind.FRESH)) is None


def test_a_victim_is_never_the_cause_when_somebody_failed() -> None:
    restart = judge(
        [came(0, EndKind.VICTIM, at=9.0), came(1, EndKind.FAILED, at=10.0, detail="boom")],
        Budget(3),
    ).restart
    assert restart is not None
    assert (restart.cause, restart.rank, restart.detail) == (RestartCause.RANK_FAILED, 1, "boom")


def test_of_two_failures_the_earlier_is_the_cause() -> None:
    restart = judge(
        [came(0, EndKind.FAILED, at=11.0), came(1, EndKind.FAILED, at=10.0)], Budget(3)
    ).restart
    assert restart is not None
    assert restart.rank == 1


def test_a_worker_that_comes_back_new_was_lost() -> None:
    assert cause(came(0, EndKind.FRESH), came(1, EndKind.VICTIM)) is RestartCause.WORKER_LOST


def test_a_worker_that_does_not_come_back_was_lost() -> None:
    assert cause(came(0, EndKind.VICTIM)) is RestartCause.WORKER_LOST


def test_a_worker_more_is_a_change_and_no_loss() -> None:
    one = History(workers=1)
    arrivals = (came(0, EndKind.ASKED, history=one), came(1, EndKind.FRESH))
    assert cause(*arrivals) is RestartCause.WORKERS_CHANGED


def test_leaving_in_order_is_preemption() -> None:
    assert cause(came(1, EndKind.LEFT)) is RestartCause.PREEMPTED


def test_steps_count_as_lost_from_the_furthest_that_any_worker_saw() -> None:
    restart = judge(
        [came(0, EndKind.VICTIM, step=12), came(1, EndKind.FAILED, step=11)], Budget(3)
    ).restart
    assert restart is not None
    assert restart.from_step == 12


def test_a_lost_worker_is_not_charged() -> None:
    assert judge([came(0, EndKind.VICTIM)], Budget(0)).verdict is None


def test_a_failed_rank_is_charged() -> None:
    assert judge([came(0, EndKind.FAILED)], Budget(3)).history.charged == 1


def test_what_the_longest_serving_member_remembers_counts() -> None:
    remembers = History(charged=2, workers=2)
    arrivals = [came(0, EndKind.FRESH), came(1, EndKind.FAILED, history=remembers)]
    assert judge(arrivals, Budget(3)).history.charged == 3


def test_a_spent_budget_ends_the_run() -> None:
    verdict = judge(
        [came(0, EndKind.FAILED, history=History(charged=3, workers=1))], Budget(3)
    ).verdict
    assert verdict is not None
    assert verdict.exit_code == ExitCode.RESTARTS_EXHAUSTED


def test_the_same_exception_at_the_same_step_twice_in_a_row_is_the_users() -> None:
    again = came(
        0,
        EndKind.FAILED,
        signature="ValueError at f.py:1 at step 7",
        history=History(signature="ValueError at f.py:1 at step 7", workers=1),
    )
    verdict = judge([again], Budget(3)).verdict
    assert verdict is not None
    assert verdict.exit_code == ExitCode.USER_ERROR


def test_a_rank_killed_twice_is_not_the_users() -> None:
    again = came(0, EndKind.FAILED, history=History(charged=1, workers=1))
    assert judge([again], Budget(3)).verdict is None


def test_a_hung_rank_is_charged_and_named() -> None:
    judged = judge([came(0, EndKind.WAITED, at=9.0), came(1, EndKind.HUNG, at=10.0)], Budget(3))
    assert judged.restart is not None
    assert (judged.restart.cause, judged.restart.rank) == (RestartCause.RANK_HUNG, 1)
    assert judged.history.charged == 1


def test_workers_that_all_waited_hung_though_nobody_knows_for_whom() -> None:
    assert cause(came(0, EndKind.WAITED), came(1, EndKind.WAITED)) is RestartCause.RANK_HUNG


def test_a_worker_that_is_gone_was_lost_and_those_that_waited_for_it_did_not_hang() -> None:
    assert cause(came(0, EndKind.WAITED)) is RestartCause.WORKER_LOST


def test_steps_without_a_failure_make_the_budget_whole_where_asked_for() -> None:
    before = History(charged=3, charged_at=10, workers=1)
    late = came(0, EndKind.FAILED, step=110, history=before)
    assert judge([late], Budget(3, reset_after_steps=100)).history.charged == 1
    assert judge([late], Budget(3, reset_after_steps=101)).verdict is not None
    assert judge([late], Budget(3)).verdict is not None

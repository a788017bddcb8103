"""What is counted, timed and remembered in a run's status."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.operator.lifecycle.seen import (
    FAILED,
    NOW,
    RAN,
    SUCCEEDED,
    SUMMARY,
    after,
    ended,
    failure,
    job,
    pod,
    seconds,
    seen,
    wish,
)
from trainingrun_operator.api.conditions import ConditionType, Phase
from trainingrun_operator.api.status import Progress, Restarts, Status
from trainingrun_operator.lifecycle.account import only_progress_differs
from trainingrun_operator.lifecycle.observed import Claim, ReceivedReport
from trainingrun_trainer.report import Report

RUNNING = job("Running")


def received(**block: Any) -> ReceivedReport:
    """A report of our trainer."""
    body = {
        "trainerStatus": {"estimatedRemainingSeconds": 660},
        "trainingRun": {"step": 12, "totalSteps": 40, **block},
    }
    return ReceivedReport(Report.model_validate(body), NOW)


def restart(minute: int, cause: str = "RankFailed") -> dict[str, Any]:
    return {
        "at": f"2026-01-01T11:{minute:02}:00Z", "cause": cause, "fromStep": 12, "resumedStep": 10,
        "lostSteps": 2,
    }  # fmt: skip


def checkpoint(step: int, *, verified: bool = True) -> dict[str, Any]:
    path = f"/runs/squad/checkpoint-{step}"
    return {"step": step, "path": path, "sizeBytes": 1, "worldSize": 2, "verified": verified}


def phases() -> dict[str, tuple[Any, Phase]]:
    return {
        "claim missing": (seen(None, claim=Claim.MISSING), Phase.PENDING),
        "just made": (seen(None, claim=Claim.FOUND), Phase.STARTING),
        "running": (seen(RUNNING, pod()), Phase.RUNNING),
        "no worker left": (seen(RUNNING, status=RAN), Phase.RESTARTING),
        "failed": (seen(job("Failed")), Phase.FAILED),
        "succeeded": (seen(job("Succeeded")), Phase.SUCCEEDED),
    }


@pytest.mark.parametrize(("observed", "phase"), phases().values(), ids=phases())
def test_the_phase_sums_the_conditions_up(observed: Any, phase: Phase) -> None:
    assert after(observed).phase is phase


def test_the_phase_of_a_suspended_run_is_suspended() -> None:
    assert after(seen(RUNNING, pod()), wish(suspend=True)).phase is Phase.SUSPENDED


def test_the_phase_of_a_wrong_spec_is_invalid() -> None:
    assert after(seen(None), wish(problem="wrong")).phase is Phase.INVALID


def test_a_second_look_at_the_same_changes_nothing() -> None:
    first = after(seen(RUNNING, pod(0), pod(1), report=received()))

    second = after(seen(RUNNING, pod(0), pod(1), report=received(), status=first))

    assert second == first


def test_a_transition_time_is_kept_while_the_condition_stays() -> None:
    first = after(seen(RUNNING, pod(0), pod(1)))

    second = after(seen(RUNNING, pod(0), status=first), now=NOW + seconds(60))

    assert {c.last_transition_time for c in second.conditions} == {NOW}


def test_a_pod_that_is_gone_counts_once() -> None:
    first = after(seen(RUNNING, pod(0), status=RAN))
    second = after(seen(RUNNING, pod(0), pod(1, uid="new"), status=first))

    assert (first.restarts.pods, second.restarts.pods) == (1, 1)
    assert second.pod_uids == ("new", "pod-0")


def test_a_pod_that_fails_and_then_goes_counts_once() -> None:
    first = after(seen(RUNNING, pod(0), ended(1, 200), status=RAN))
    second = after(seen(RUNNING, pod(0), status=first))

    assert (first.restarts.pods, second.restarts.pods) == (1, 1)


def test_pods_that_are_given_up_do_not_count() -> None:
    first = after(seen(RUNNING, pod(0), pod(1), status=RAN), wish(workers=1))
    second = after(seen(job("Running", workers=1), pod(0), status=first), wish(workers=1))

    assert second.restarts.pods == 0


def test_pods_given_up_while_the_operator_was_away_do_not_count() -> None:
    found = after(seen(job("Running", workers=1), pod(0), status=RAN), wish(workers=1))

    assert found.restarts.pods == 0


def test_pods_of_a_suspended_run_do_not_count() -> None:
    suspended = after(seen(RUNNING, pod(0), pod(1), status=RAN), wish(suspend=True))
    later = after(seen(job("Suspended", suspended=True), status=suspended), wish(suspend=True))
    resumed = after(seen(job("Suspended", suspended=True), status=later))

    assert resumed.restarts.pods == 0


def test_pods_of_a_job_that_is_made_anew_do_not_count() -> None:
    replaced = after(seen(job("Running", spec_hash="old"), pod(0), pod(1), status=RAN))
    made = after(seen(None, status=replaced, claim=Claim.FOUND))

    assert made.restarts.pods == 0


def test_pods_that_go_when_the_first_worker_is_done_do_not_count() -> None:
    found = after(seen(RUNNING, ended(0, 0), pod(1, deleting=True), status=RAN))

    assert found.restarts.pods == 0


def test_active_time_stands_still_while_suspended() -> None:
    suspended = after(seen(RUNNING, pod(), status=RAN), wish(suspend=True))
    resumed = after(seen(RUNNING, pod(), status=suspended), now=NOW + timedelta(hours=1))

    assert (suspended.active_seconds, suspended.active_since) == (600, None)
    assert resumed.active_since == NOW + timedelta(hours=1)


def test_an_end_is_timed() -> None:
    found = after(seen(job("Succeeded"), status=RAN))

    assert (found.completion_time, found.active_seconds) == (NOW, 600)


def test_of_a_run_that_has_ended_no_worker_counts_as_running() -> None:
    by_now = NOW + timedelta(minutes=1)
    status = after(seen(job("Failed"), pod(0), status=RAN), wish(), by_now)

    assert status.phase == Phase.FAILED
    assert status.workers is not None
    assert status.workers.summary == "0/2"


def test_columns_of_a_report_are_ready_to_print() -> None:
    progress = after(seen(RUNNING, pod(), report=received(loss=1.83449))).progress

    assert progress is not None
    assert (progress.steps, progress.eta, progress.loss) == ("12/40", "11m", 1.8345)


def test_restarts_of_ranks_count_once_however_often_they_are_reported() -> None:
    first = after(seen(RUNNING, pod(), report=received(restarts=[restart(1)])))
    both = received(restarts=[restart(1), restart(2)])
    second = after(seen(RUNNING, pod(), report=both, status=first))

    assert (first.restarts.ranks, second.restarts.ranks, second.restarts.total) == (1, 2, 2)


def test_ranks_started_again_for_a_lost_pod_count_as_a_pod_only() -> None:
    report = received(restarts=[restart(1, "WorkerLost")])

    restarts = after(seen(RUNNING, pod(0), status=RAN, report=report)).restarts

    assert (restarts.ranks, restarts.pods, restarts.total) == (0, 1, 1)
    assert len(restarts.recent) == 1


def test_the_newest_verified_checkpoint_is_the_good_one() -> None:
    report = received(checkpoints=[checkpoint(10), checkpoint(20, verified=False)])

    ledger = after(seen(RUNNING, pod(), report=report)).checkpoints

    assert (ledger.last_good, ledger.path) == (10, "/runs/squad/checkpoint-10")
    assert [record.step for record in ledger.recent] == [10, 20]


def test_checkpoints_that_were_let_go_are_not_listed_and_set_aside_ones_are() -> None:
    damaged, *good = checkpoint(10, verified=False), *map(checkpoint, (20, 30, 40))
    known = after(seen(RUNNING, pod(), report=received(checkpoints=[damaged, *good[:2]])))

    report = received(checkpoints=[good[2]])
    ledger = after(seen(RUNNING, pod(), report=report, status=known), wish(keep=2)).checkpoints

    assert [record.step for record in ledger.recent] == [10, 30, 40]
    assert ledger.last_good == 40


def test_success_fills_progress_and_ledger_from_the_summary() -> None:
    found = after(seen(job("Succeeded"), ended(0, 0, summary=SUMMARY), ended(1, 0), status=RAN))

    assert found.summary == SUMMARY
    assert found.progress is not None
    assert (found.progress.steps, found.progress.loss) == ("40/40", 2.25)
    assert found.checkpoints.last_good == 40


def test_a_summary_that_is_seen_after_the_end_is_still_taken() -> None:
    found = after(seen(job("Succeeded"), ended(1, 0, summary=SUMMARY), status=SUCCEEDED))

    assert found.summary == SUMMARY
    assert found.conditions == SUCCEEDED.conditions


def test_a_report_after_the_end_changes_nothing() -> None:
    assert after(seen(None, status=SUCCEEDED, report=received())) == SUCCEEDED


def test_a_failure_keeps_the_progress_that_was_made() -> None:
    trained = RAN.model_copy(update={"progress": Progress(step=12, steps="12/40")})
    words = failure("no file")

    found = after(seen(RUNNING, ended(0, 64, failure=words), status=trained))

    assert found.progress == trained.progress
    assert any(c.type is ConditionType.FAILED for c in found.conditions)


def test_reports_alone_are_told_from_news() -> None:
    step = Status(progress=Progress(step=1))

    assert only_progress_differs(step, Status(progress=Progress(step=2)))
    assert not only_progress_differs(step, Status(phase=Phase.RUNNING))


def test_the_pods_of_a_stall_are_one_restart_all_together() -> None:
    since = NOW - timedelta(minutes=2)
    quiet = RAN.model_copy(update={"progress": Progress(step=7, step_at=since)})

    status = after(seen(RUNNING, pod(0), pod(1), status=quiet), wish(stall_timeout_seconds=60))
    dying = (pod(0, running=False, deleting=True), pod(1, running=False, deleting=True))
    later = after(seen(RUNNING, *dying, status=status), wish(stall_timeout_seconds=60))

    assert (status.restarts.pods, later.restarts.pods) == (1, 1)
    assert status.stall is not None
    assert status.stall.step == 7


def test_the_time_of_a_step_is_kept_until_the_next_one() -> None:
    earlier = NOW - timedelta(minutes=5)
    known = RAN.model_copy(update={"progress": Progress(step=12, step_at=earlier)})

    same = after(seen(RUNNING, pod(), status=known, report=received()))
    news = after(seen(RUNNING, pod(), status=known, report=received(step=13)))

    assert same.progress is not None
    assert news.progress is not None
    assert (same.progress.step_at, news.progress.step_at) == (earlier, NOW)


def test_a_retry_forgets_what_was_counted_against_a_budget() -> None:
    spent = FAILED.model_copy(
        update={
            "restarts": Restarts(total=30, ranks=9, pods=21),
            "active_seconds": 900,
            "completion_time": NOW,
        }
    )

    status = after(seen(job("Failed"), status=spent), wish(retry=1))

    assert (status.attempt, status.phase) == (1, Phase.RESTARTING)
    assert (status.restarts.total, status.active_seconds, status.completion_time) == (0, 0, None)


def test_what_is_asked_after_the_end_leaves_phase_and_message() -> None:
    ended_before = FAILED.model_copy(update={"phase": Phase.FAILED, "message": "out of memory"})

    status = after(seen(job("Failed"), status=ended_before), wish(generation=4))

    assert (status.phase, status.message, status.observed_generation) == (
        Phase.FAILED,
        "out of memory",
        4,
    )


def test_a_change_after_the_end_is_answered_once() -> None:
    once = after(seen(job("Failed"), status=FAILED), wish(generation=4))

    assert after(seen(job("Failed"), status=once), wish(generation=4)) == once


def test_an_end_holds_for_a_spec_that_was_changed_after_it() -> None:
    status = after(seen(job("Failed"), status=FAILED), wish(generation=4))

    assert {c.type: c.observed_generation for c in status.conditions}[ConditionType.FAILED] == 4

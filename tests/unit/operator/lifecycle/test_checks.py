"""The decision table: what is seen and wished, and what is said and done."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.unit.operator.lifecycle.seen import (
    FAILED,
    NOW,
    RAN,
    SUCCEEDED,
    SUMMARY,
    UID,
    WISH,
    ended,
    failure,
    job,
    pod,
    reported,
    seconds,
    seen,
    status,
    stuck,
    verdict,
    wish,
)
from trainingrun_operator.api.conditions import ConditionType, Reason
from trainingrun_operator.api.status import Progress, Restarts, Stall, Status
from trainingrun_operator.lifecycle.checks import decide
from trainingrun_operator.lifecycle.decision import (
    Activity,
    AdjustJob,
    ApplyChildren,
    DeleteJob,
    DeletePods,
    DeleteRun,
)
from trainingrun_operator.lifecycle.observed import Claim, Observed, Termination
from trainingrun_operator.lifecycle.quota import Quota
from trainingrun_operator.lifecycle.wish import Wish

QUIET_AT_7 = RAN.model_copy(
    update={"progress": Progress(step=7, total_steps=40, step_at=NOW - timedelta(minutes=2))}
)


def stalled_before(known: Status, step: int) -> Status:
    return known.model_copy(update={"stall": Stall(step=step, at=NOW - timedelta(minutes=5))})


STOP = AdjustJob("squad", 2, suspend=True)

TABLE = {
    "a spec that does not fit": (
        seen(None), wish(problem="spec.workers: wrong; mend"), ("Accepted", "False", "InvalidSpec"),
        (),
    ),
    "a missing claim": (
        seen(None, claim=Claim.MISSING), WISH, ("Accepted", "False", "ClaimNotFound"), (),
    ),
    "a lost claim": (seen(None, claim=Claim.LOST), WISH, ("Accepted", "False", "ClaimLost"), ()),
    "a missing claim that is to be made": (
        seen(None, claim=Claim.MISSING), wish(makes_claim=True),
        ("JobCreated", "True", "JobCreated"), (ApplyChildren(),),
    ),
    "a missing priority class": (
        seen(None, priority_class_missing=True), wish(priority_class="gold"),
        ("Accepted", "False", "PriorityClassNotFound"), (),
    ),
    "a quota that is used up": (
        seen(None, quotas=(Quota("team", {"pods": Decimal(4)}, {"pods": Decimal(4)}),)), WISH,
        ("Accepted", "False", "QuotaExceeded"), (),
    ),
    "pods that the API server refuses": (
        seen(job("Created"), pods_missing_since=NOW - timedelta(minutes=1), pods_refused="too big"),
        WISH, ("Running", "False", "PodsRefused"), (),
    ),
    "pods that nobody makes": (
        seen(job("Created"), pods_missing_since=NOW - timedelta(minutes=1), pods_refused=""),
        WISH, ("Running", "False", "PodsMissing"), (),
    ),
    "nothing made yet": (
        seen(None, claim=Claim.FOUND), WISH, ("JobCreated", "True", "JobCreated"),
        (ApplyChildren(),),
    ),
    "a job of another owner": (
        seen(job("Created", owner_uid="theirs")), WISH, ("Accepted", "False", "NameConflict"), (),
    ),
    "a job of an older spec": (
        seen(job("Running", spec_hash="old")), WISH, ("Running", "False", "Restarting"),
        (DeleteJob("squad", "job-uid"),),
    ),
    "a job that is being deleted": (
        seen(job("Running", deleting=True)), WISH, ("Running", "False", "Restarting"), (),
    ),
    "suspended while running": (
        seen(job("Running"), pod()), wish(suspend=True), ("Suspended", "True", "Suspended"),
        (STOP,),
    ),
    "suspended and stopped": (
        seen(job("Suspended", suspended=True)), wish(suspend=True),
        ("Suspended", "True", "Suspended"), (),
    ),
    "suspended before its start": (
        seen(None), wish(suspend=True), ("Suspended", "True", "Suspended"), (ApplyChildren(),),
    ),
    "suspended before its claim is there": (
        seen(None, claim=Claim.MISSING), wish(suspend=True), ("Accepted", "False", "ClaimNotFound"),
        (),
    ),
    "a job no pod of which is there": (
        seen(job("Created")), WISH, ("JobCreated", "True", "JobCreated"), (),
    ),
    "an image that is not there": (
        seen(job("Created"), stuck("ErrImagePull")), WISH, ("Running", "False", "ImagePullFailed"),
        (),
    ),
    "a missing secret": (
        seen(job("Created"), stuck("CreateContainerConfigError", 'secret "hub" not found')), WISH,
        ("Running", "False", "SecretNotFound"), (),
    ),
    "a wrong container": (
        seen(job("Created"), stuck("CreateContainerError", "no such command")), WISH,
        ("Running", "False", "ContainerConfigError"), (),
    ),
    "no node with room": (
        seen(job("Created"), pod(phase="Pending", running=False, unschedulable="0/3 nodes")), WISH,
        ("Running", "False", "Unschedulable"), (),
    ),
    "no node with room for a moment": (
        seen(job("Created"), pod(
            phase="Pending", running=False, unschedulable="0/3 nodes", unschedulable_since=NOW,
        )), WISH, ("JobCreated", "True", "JobCreated"), (),
    ),
    "all workers running": (
        seen(job("Running"), pod(0), pod(1)), WISH, ("Running", "True", "WorkersRunning"), (),
    ),
    "as many workers as elastic needs, one stuck": (
        seen(job("Running"), pod(1), stuck("ErrImagePull")), WISH,
        ("Running", "True", "WorkersRunning"), (),
    ),
    "no worker after there were some": (
        seen(job("Restarting"), status=RAN), WISH, ("Running", "False", "Restarting"), (),
    ),
    "fewer workers than needed after there were enough": (
        seen(job("Running"), pod(0), status=RAN), wish(min_workers=2),
        ("Running", "False", "BelowMinimumWorkers"), (),
    ),
    "the user's error": (
        seen(job("Running"), ended(1, 64, failure=failure("no file"))), WISH,
        ("Failed", "True", "UserError"), (),
    ),
    "too many failed ranks": (
        seen(job("Running"), ended(1, 70)), WISH, ("Failed", "True", "RestartsExhausted"), (),
    ),
    "too many lost pods": (
        seen(job("Running"), pod(0), status=RAN), wish(max_pod_restarts=0),
        ("Failed", "True", "PodRestartsExhausted"), (STOP,),
    ),
    "too many restarts of both kinds": (
        seen(job("Running"), pod(0), pod(1), status=RAN.model_copy(update={
            "restarts": Restarts(total=3, ranks=2, pods=1)})), wish(max_restarts=2),
        ("Failed", "True", "AllRestartsExhausted"), (STOP,),
    ),
    "a job that failed": (
        seen(job("Failed"), ended(0, 1)), WISH, ("Failed", "True", "JobFailed"), (),
    ),
    "a job that succeeded": (
        seen(job("Succeeded"), ended(0, 0, summary=SUMMARY)), WISH,
        ("Succeeded", "True", "Completed"), (),
    ),
    "success of a run that is to be suspended": (
        seen(job("Succeeded")), wish(suspend=True), ("Succeeded", "True", "Completed"), (),
    ),
    "active for too long": (
        seen(job("Running"), pod(), status=RAN), wish(active_deadline_seconds=600),
        ("Failed", "True", "DeadlineExceeded"), (STOP,),
    ),
    "a failed run that is to be retried": (
        seen(job("Failed"), status=FAILED), wish(retry=1), ("Failed", "False", "Retried"),
        (DeleteJob("squad", "job-uid"),),
    ),
    "a failed run that is to be retried, its job gone": (
        seen(None, status=FAILED), wish(retry=1), ("Failed", "False", "Retried"), (),
    ),
    "a retry that is no number": (
        seen(job("Failed"), status=FAILED), wish(retry_problem="is 'yes'; write 1"),
        ("Accepted", "False", "InvalidRetry"), (),
    ),
    "a changed spec after the end": (
        seen(job("Failed"), status=FAILED), wish(generation=4),
        ("Accepted", "False", "ChangedAfterEnd"), (),
    ),
    "the job of an earlier attempt": (
        seen(job("Failed"), ended(0, 64), status=Status(attempt=1)), WISH,
        ("Running", "False", "Restarting"), (DeleteJob("squad", "job-uid"),),
    ),
    "no new step for too long": (
        seen(job("Running"), pod(0), pod(1), status=QUIET_AT_7), wish(stall_timeout_seconds=60),
        ("Progressing", "False", "Stalled"),
        (DeletePods((("squad-worker-0", "pod-0"), ("squad-worker-1", "pod-1"))),),
    ),
    "no new step for too long once more": (
        seen(job("Running"), pod(0), pod(1), status=stalled_before(QUIET_AT_7, step=7)),
        wish(stall_timeout_seconds=60), ("Failed", "True", "Stalled"), (STOP,),
    ),
    "no new step for too long at a later step": (
        seen(job("Running"), pod(0), status=stalled_before(QUIET_AT_7, step=3)),
        wish(stall_timeout_seconds=60), ("Progressing", "False", "Stalled"),
        (DeletePods((("squad-worker-0", "pod-0"),)),),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("observed", "wanted", "said", "done"), TABLE.values(), ids=TABLE)
def test_what_is_seen_and_wished_decides(
    observed: Observed, wanted: Wish, said: tuple[str, str, str], done: tuple[object, ...]
) -> None:
    decision = decide(observed, wanted, NOW)

    assert verdict(decision) == said
    assert decision.actions == done


QUIET = {
    "a finished run": (seen(job("Failed"), status=SUCCEEDED), WISH),
    "a finished run with a changed spec": (
        seen(job("Succeeded", spec_hash="old"), status=SUCCEEDED), WISH,
    ),
    "a finished run without its job": (seen(None, status=SUCCEEDED), WISH),
    "a finished run whose spec is not valid any more": (
        seen(None, status=SUCCEEDED), wish(problem="wrong"),
    ),
    "a run that is being deleted": (seen(None, deleting=True), WISH),
    "a failed run whose retry was made": (
        seen(job("Failed", attempt=1), status=FAILED.model_copy(update={"attempt": 1})),
        wish(retry=1),
    ),
    "a run that succeeded and is to be retried": (
        seen(job("Succeeded"), status=SUCCEEDED), wish(retry=1),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("observed", "wanted"), QUIET.values(), ids=QUIET)
def test_nothing_is_said_or_done_of(observed: Observed, wanted: Wish) -> None:
    decision = decide(observed, wanted, NOW)

    assert decision.verdicts == ()
    assert decision.actions == ()


def test_a_run_is_deleted_when_its_time_to_live_is_over() -> None:
    decision = decide(seen(None, status=SUCCEEDED), wish(ttl_seconds_after_finished=60), NOW)

    assert decision.actions == (DeleteRun("squad", UID),)


def test_a_run_is_looked_at_again_when_its_time_to_live_will_be_over() -> None:
    decision = decide(seen(None, status=SUCCEEDED), wish(ttl_seconds_after_finished=90), NOW)

    assert decision.actions == ()
    assert decision.recheck_after == seconds(30)


def test_a_running_run_is_looked_at_again_at_its_deadline() -> None:
    observed = seen(job("Running"), pod(), status=RAN)

    decision = decide(observed, wish(active_deadline_seconds=700), NOW)

    assert decision.recheck_after == seconds(100)


def test_the_deadline_does_not_run_while_a_run_is_suspended() -> None:
    stopped = Status(active_seconds=500)

    decision = decide(
        seen(job("Suspended", suspended=True), status=stopped),
        wish(suspend=True, active_deadline_seconds=600),
        NOW,
    )

    assert verdict(decision)[0] == "Suspended"
    assert decision.recheck_after is None


def test_a_job_that_was_not_stopped_at_the_deadline_is_stopped_later() -> None:
    failed = status(ConditionType.FAILED, "True", Reason.DEADLINE_EXCEEDED)

    assert decide(seen(job("Running"), status=failed), WISH, NOW).actions == (STOP,)


def test_a_changed_number_of_workers_is_edited_in_place() -> None:
    decision = decide(seen(job("Running"), pod()), wish(workers=4), NOW)

    assert decision.actions == (AdjustJob("squad", 4, suspend=False),)
    assert decision.activity is Activity.ACTIVE


def test_a_suspended_job_goes_on_when_the_run_does() -> None:
    decision = decide(seen(job("Suspended", suspended=True)), WISH, NOW)

    assert decision.actions == (AdjustJob("squad", 2, suspend=False),)


@pytest.mark.parametrize("end", ["Failed", "Succeeded"])
def test_a_jobs_end_waits_a_moment_for_its_workers_last_words(end: str) -> None:
    decision = decide(seen(job(end, since=NOW - seconds(1))), WISH, NOW)

    assert decision.verdicts == ()
    assert decision.recheck_after == seconds(4)


def test_a_worker_that_is_done_is_not_called_a_restart() -> None:
    decision = decide(seen(job("Running"), ended(0, 0), status=RAN), WISH, NOW)

    assert decision.verdicts == ()


def test_a_missing_claim_is_looked_for_less_and_less_often() -> None:
    waits = []
    for age in (0, 10, 1000):
        missing = status(ConditionType.ACCEPTED, "False", Reason.CLAIM_NOT_FOUND)
        observed = seen(None, claim=Claim.MISSING, status=missing)
        since = missing.conditions[0].last_transition_time
        waits.append(decide(observed, WISH, since + timedelta(seconds=age)).recheck_after)

    assert waits == [seconds(2), seconds(5), seconds(30)]


def test_a_user_error_names_field_fault_and_rank() -> None:
    observed = seen(job("Running"), ended(1, 64, failure=failure("no file; write another")))

    message = decide(observed, WISH, NOW).verdicts[0].message

    assert message == "spec.data.train: no file; write another (rank 1)"


def test_last_words_that_are_not_ours_are_told_as_they_are() -> None:
    observed = seen(job("Failed"), ended(0, 1, text="Traceback: boom"))

    message = decide(observed, WISH, NOW).verdicts[0].message

    assert message == "squad-worker-0 ended with exit code 1: Traceback: boom"


def test_a_spent_pod_budget_names_the_last_failure() -> None:
    killed = Termination("squad-worker-1", 137, reason="OOMKilled")
    spent = Status(restarts=Restarts(pods=21, pods_charged=21))

    decision = decide(seen(job("Running"), pod(), status=spent, last_failure=killed), WISH, NOW)

    assert "raise spec.workers.resources.memory" in decision.verdicts[0].message


def test_a_failed_pull_names_the_image_and_what_the_kubelet_said() -> None:
    observed = seen(job("Created"), stuck("ImagePullBackOff", "no such host"))

    message = decide(observed, WISH, NOW).verdicts[0].message

    assert "example.org/trainer:1" in message
    assert "no such host" in message


STALL = wish(stall_timeout_seconds=300)


def test_a_running_run_is_looked_at_again_when_it_will_have_stalled() -> None:
    decision = decide(seen(job("Running"), pod(), status=QUIET_AT_7), STALL, NOW)

    assert decision.recheck_after == seconds(240)  # one minute since it runs is the latest


@pytest.mark.parametrize(
    "observed",
    [
        seen(job("Running"), pod(), status=QUIET_AT_7, watched_since=NOW),
        seen(job("Running"), pod(), status=QUIET_AT_7, report=reported(step=8)),
        seen(job("Running"), pod(running=False), status=QUIET_AT_7),
    ],
    ids=["the operator has just come", "a new step has just come", "no worker runs"],
)
def test_a_run_has_not_stalled_where(observed: Observed) -> None:
    assert decide(observed, wish(stall_timeout_seconds=60), NOW).stalled_at is None

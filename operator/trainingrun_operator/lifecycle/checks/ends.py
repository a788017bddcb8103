"""Checks that end a run, and those that leave an ending alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from trainingrun_operator.api.conditions import Reason
from trainingrun_operator.lifecycle import say
from trainingrun_operator.lifecycle.checks.stop import stop
from trainingrun_operator.lifecycle.decision import Activity, Decision
from trainingrun_operator.lifecycle.observed import Observed
from trainingrun_operator.lifecycle.restarts import lost_pods, with_lost_pods
from trainingrun_operator.lifecycle.wish import Wish
from trainingrun_operator.lifecycle.words import duration
from trainingrun_trainer.report import ExitCode

LAST_WORDS: Final = timedelta(seconds=5)
"""How long a job's end waits for its pods' termination messages, which come by another watch."""
RETRIED_FROM: Final = 128
"""Under the restart policy ExitCode, pods that end with this code or a higher one are made anew."""


def being_deleted(seen: Observed, _wish: Wish, _now: datetime) -> Decision | None:
    """The TrainingRun is being deleted.

    Says: nothing.
    Does: nothing: the garbage collector takes what the run owns.
    """
    return Decision() if seen.deleting else None


def job_succeeded(seen: Observed, _wish: Wish, now: datetime) -> Decision | None:
    """The job has succeeded.

    Says: Succeeded=True Completed.
    Does: nothing.
    """
    if seen.job is None or not seen.job.holds("Succeeded"):
        return None
    summary = seen.summary()
    if summary is None and (wait := _last_words_due(seen, "Succeeded", now)):
        return Decision(recheck_after=wait)
    return say.succeeded(summary)


def user_error(seen: Observed, _wish: Wish, _now: datetime) -> Decision | None:
    """A worker has ended with the exit code for the user's own errors.

    Says: Failed=True UserError.
    Does: nothing.
    """
    found = seen.failure(ExitCode.USER_ERROR)
    return None if found is None else say.failed(Reason.USER_ERROR, say.cause(found))


def restarts_exhausted(seen: Observed, _wish: Wish, _now: datetime) -> Decision | None:
    """A worker has ended with the exit code for too many restarts of ranks.

    Says: Failed=True RestartsExhausted.
    Does: nothing.
    """
    found = seen.failure(ExitCode.RESTARTS_EXHAUSTED)
    return None if found is None else say.failed(Reason.RESTARTS_EXHAUSTED, say.cause(found))


def pod_restarts_exhausted(seen: Observed, wish: Wish, _now: datetime) -> Decision | None:
    """More pods were lost than spec.policy.maxPodRestarts allows.

    Says: Failed=True PodRestartsExhausted.
    Does: suspends the job.
    """
    healthy = wish.policy.reset_restarts_after_steps
    lost = with_lost_pods(seen.status, lost_pods(seen, wish), healthy).pods_charged
    if lost <= wish.policy.max_pod_restarts:
        return None
    message = f"{lost} pods were lost, spec.policy.maxPodRestarts is {wish.policy.max_pod_restarts}"
    if seen.last_failure is not None:
        message = f"{message}; the last one: {say.cause(seen.last_failure)}"
    return say.failed(Reason.POD_RESTARTS_EXHAUSTED, message, stop(seen, wish))


def all_restarts_exhausted(seen: Observed, wish: Wish, _now: datetime) -> Decision | None:
    """Ranks and pods together were started again more often than spec.policy.maxRestarts allows.

    Says: Failed=True AllRestartsExhausted.
    Does: suspends the job.
    """
    limit = wish.policy.max_restarts
    total = seen.status.restarts.total + lost_pods(seen, wish)
    if limit is None or total <= limit:
        return None
    message = f"{total} restarts of ranks and pods, spec.policy.maxRestarts is {limit}"
    if recent := seen.status.restarts.recent:
        message = f"{message}; the last one: {recent[-1].cause}, {recent[-1].detail}"
    return say.failed(Reason.ALL_RESTARTS_EXHAUSTED, message, stop(seen, wish))


def deadline_exceeded(seen: Observed, wish: Wish, now: datetime) -> Decision | None:
    """The run was active for spec.policy.activeDeadlineSeconds.

    Says: Failed=True DeadlineExceeded.
    Does: suspends the job.
    """
    limit = wish.policy.active_deadline_seconds
    if limit is None or (active := seen.active_for(now)) < timedelta(seconds=limit):
        return None
    if seen.job is not None and seen.job.holds("Succeeded"):
        return None
    message = (
        f"active for {duration(active)}, spec.policy.activeDeadlineSeconds is {limit}; "
        "`kubectl trainingrun retry` goes on from the last checkpoint with as much time again"
    )
    return say.failed(Reason.DEADLINE_EXCEEDED, message, stop(seen, wish))


def job_failed(seen: Observed, _wish: Wish, now: datetime) -> Decision | None:
    """The job has failed, for another reason than those above.

    Says: Failed=True JobFailed.
    Does: nothing.
    """
    if seen.job is None or not seen.job.holds("Failed"):
        return None
    found = seen.failure()
    if found is None and (wait := _last_words_due(seen, "Failed", now)):
        return Decision(recheck_after=wait)
    found = found or seen.last_failure
    message = seen.job.message("Failed") if found is None else say.cause(found)
    return say.failed(Reason.JOB_FAILED, message)


def job_ending(seen: Observed, _wish: Wish, _now: datetime) -> Decision | None:
    """A worker is done or has failed for good, and the job does not say so yet.

    Says: nothing.
    Does: nothing.
    """
    # A worker that is done, or failed for good, ends the job; only the job does not say so yet.
    decisive = any(ended.exit_code < RETRIED_FROM for ended in seen.terminations())
    return Decision(activity=Activity.ACTIVE) if decisive else None


def _last_words_due(seen: Observed, condition: str, now: datetime) -> timedelta | None:
    """How much longer to wait for a termination message, None if long enough."""
    since = seen.job.since(condition) if seen.job else None
    if since is None or not timedelta() <= now - since < LAST_WORDS:
        return None
    return LAST_WORDS - (now - since)

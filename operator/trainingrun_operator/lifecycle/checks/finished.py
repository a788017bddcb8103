"""Checks of a run that has ended: it stays ended, unless it failed and the user asks for more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from trainingrun_operator.api.conditions import ConditionType, Reason
from trainingrun_operator.lifecycle import say
from trainingrun_operator.lifecycle.checks.stop import stop
from trainingrun_operator.lifecycle.decision import AdjustJob, Decision, DeleteJob, DeleteRun
from trainingrun_operator.lifecycle.observed import Observed
from trainingrun_operator.lifecycle.wish import Wish

STOPPED_BY_US: Final = frozenset(
    {
        Reason.ALL_RESTARTS_EXHAUSTED,
        Reason.DEADLINE_EXCEEDED,
        Reason.POD_RESTARTS_EXHAUSTED,
        Reason.STALLED,
    }
)
"""Ends that the training operator knows nothing of: the job must be stopped."""


def retry_unreadable(seen: Observed, wish: Wish, _now: datetime) -> Decision | None:
    """The run has failed, and its annotation trainingrun.io/retry is no number from 1 to 1000.

    Says: Accepted=False InvalidRetry.
    Does: nothing.
    """
    known = seen.condition(ConditionType.ACCEPTED)
    told = known is not None and known.reason == Reason.INVALID_RETRY
    if told or wish.retry_problem is None or not seen.is_true(ConditionType.FAILED):
        return None
    return say.unheard(Reason.INVALID_RETRY, wish.retry_problem)


def retried(seen: Observed, wish: Wish, _now: datetime) -> Decision | None:
    """The run has failed, and its annotation trainingrun.io/retry is greater than status.attempt.

    Says: Failed=False Retried.
    Does: deletes the job, to make it anew; the budgets and the active time begin anew.
    """
    if not seen.is_true(ConditionType.FAILED) or wish.retry <= seen.status.attempt:
        return None
    job = seen.job
    ours = job is not None and job.owner_uid == seen.uid and not job.deleting
    actions = (DeleteJob(job.name, job.uid),) if job is not None and ours else ()
    return say.retried(wish.retry, actions)


def already_finished(seen: Observed, wish: Wish, now: datetime) -> Decision | None:
    """The run has succeeded or failed.

    Says: Accepted=False ChangedAfterEnd once, if the spec has changed since.
    Does: suspends a job that the operator ended, or deletes the TrainingRun when
    spec.policy.ttlSecondsAfterFinished is over.
    """
    if not seen.finished:
        return None
    actions, said = _stop_if_ours_to_stop(seen, wish), _changed_after_the_end(seen, wish)
    ended, ttl = seen.status.completion_time, wish.policy.ttl_seconds_after_finished
    if ttl is not None and ended is not None:
        left = ended + timedelta(seconds=ttl) - now
        if left <= timedelta():
            return Decision(actions=(DeleteRun(wish.name, seen.uid),))
        return Decision(said.verdicts, actions=actions, recheck_after=left)
    return Decision(said.verdicts, actions=actions)


def _changed_after_the_end(seen: Observed, wish: Wish) -> Decision:
    if wish.generation <= seen.status.observed_generation:
        return Decision()
    what = "the run has ended; of a changed spec only spec.policy.ttlSecondsAfterFinished counts; "
    if seen.is_true(ConditionType.FAILED):
        mend = (
            f'set annotation trainingrun.io/retry to "{seen.status.attempt + 1}" to go on with the '
            "rest of it from the last checkpoint"
        )
    else:
        mend = "make a new TrainingRun for the rest of it"
    return say.unheard(Reason.CHANGED_AFTER_END, f"{what}{mend}")


def _stop_if_ours_to_stop(seen: Observed, wish: Wish) -> tuple[AdjustJob, ...]:
    failed = seen.condition(ConditionType.FAILED)
    return stop(seen, wish) if failed is not None and failed.reason in STOPPED_BY_US else ()

"""Checks of a run that runs and gets nowhere."""

from __future__ import annotations

from datetime import datetime, timedelta

from trainingrun_operator.api.conditions import ConditionType, Reason
from trainingrun_operator.lifecycle import progress, say
from trainingrun_operator.lifecycle.checks.stop import stop
from trainingrun_operator.lifecycle.decision import Decision, DeletePods
from trainingrun_operator.lifecycle.observed import Observed
from trainingrun_operator.lifecycle.wish import Wish
from trainingrun_operator.lifecycle.words import duration


def stalled(seen: Observed, wish: Wish, now: datetime) -> Decision | None:
    """Enough workers run, and no new step was reported for spec.policy.stallTimeoutSeconds.

    Says: Progressing=False Stalled; at the same step for the second time Failed=True Stalled.
    Does: deletes the pods, which are made anew; the second time suspends the job.
    """
    limit, since = wish.policy.stall_timeout_seconds, quiet_since(seen, wish)
    if limit is None or since is None or now - since < timedelta(seconds=limit):
        return None
    step = seen.status.progress.step if seen.status.progress else 0
    message = (
        f"no new step for {duration(now - since)} at step {step}, "
        f"spec.policy.stallTimeoutSeconds is {limit}"
    )
    if seen.status.stall is not None and seen.status.stall.step == step:
        message += "; it stalled here before, see kubectl logs, or raise the limit and retry"
        return say.failed(Reason.STALLED, message, stop(seen, wish))
    pods = tuple((pod.name, pod.uid) for pod in seen.pods if not pod.ended and not pod.deleting)
    return say.stalled(step, f"{message}; the pods are made anew", (DeletePods(pods),))


def quiet_since(seen: Observed, wish: Wish) -> datetime | None:
    """Since when a run that could report a step has not; None if it could not, or just has."""
    running, known = seen.condition(ConditionType.RUNNING), seen.status.progress
    if running is None or running.status != "True" or seen.running < wish.min_workers:
        return None
    if seen.report is not None:
        news = progress.progress(known, seen.report)
        if known is None or news.step != known.step:
            return None
    moments = (
        running.last_transition_time,
        known.step_at if known else None,
        seen.status.stall.at if seen.status.stall else None,
        # Nobody listened before.
        seen.watched_since,
    )
    return max(moment for moment in moments if moment is not None)

"""What is due besides the decision, or will be, without any event."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from trainingrun_operator.lifecycle.checks.stall import quiet_since
from trainingrun_operator.lifecycle.decision import Activity, Decision, DeletePods
from trainingrun_operator.lifecycle.observed import PODS_PATIENCE, Observed
from trainingrun_operator.lifecycle.wish import Wish


def with_what_is_due(decided: Decision, seen: Observed, wish: Wish, now: datetime) -> Decision:
    """The decision, with stuck pods force-deleted and a look at the time of the next limit."""
    if seen.finished or seen.deleting or decided.attempt is not None:
        return decided
    return _with_stuck_pods(_before_the_limits(decided, seen, wish, now), seen, wish, now)


def _before_the_limits(decided: Decision, seen: Observed, wish: Wish, now: datetime) -> Decision:
    if decided.activity is not Activity.ACTIVE:
        return decided
    if (deadline := wish.policy.active_deadline_seconds) is not None:
        decided = _sooner(decided, timedelta(seconds=deadline) - seen.active_for(now))
    if (missing := seen.pods_missing_since) is not None and not seen.pods_overdue(now):
        decided = _sooner(decided, missing + PODS_PATIENCE - now)
    limit, since = wish.policy.stall_timeout_seconds, quiet_since(seen, wish)
    if limit is not None:
        # A run that has just come to run is looked at again when it is known since when.
        left = timedelta(seconds=limit)
        decided = _sooner(decided, left if since is None else since + left - now)
    return decided


def _with_stuck_pods(decided: Decision, seen: Observed, wish: Wish, now: datetime) -> Decision:
    """Pods whose node does not confirm their end are taken off it, so that others can follow."""
    patience = timedelta(seconds=wish.policy.force_delete_after_seconds)
    ends = [(pod, pod.deletion_due + patience) for pod in seen.pods if pod.deletion_due is not None]
    stuck = tuple((pod.name, pod.uid) for pod, end in ends if end <= now)
    if stuck:
        decided = replace(decided, actions=(*decided.actions, DeletePods(stuck, at_once=True)))
    for _, end in ends:
        decided = _sooner(decided, end - now) if end > now else decided
    return decided


def _sooner(decided: Decision, left: timedelta) -> Decision:
    left = max(left, timedelta())
    sooner = left if decided.recheck_after is None else min(left, decided.recheck_after)
    return replace(decided, recheck_after=sooner)

"""The next status of a run: the decision, and what is counted and remembered besides."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from trainingrun_operator.api.conditions import ConditionType
from trainingrun_operator.api.status import Backend, Restarts, Stall, Status, WorkerCounts
from trainingrun_operator.lifecycle import conditions, progress
from trainingrun_operator.lifecycle.decision import Activity, Decision
from trainingrun_operator.lifecycle.observed import Observed
from trainingrun_operator.lifecycle.restarts import live_pods, lost_pods, with_lost_pods
from trainingrun_operator.lifecycle.storage import storage_verdicts
from trainingrun_operator.lifecycle.wish import Wish
from trainingrun_trainer.report import Summary

BACKEND_KIND: Final = "PyTorchJob"
PROGRESS_FIELDS: Final = frozenset({"progress", "checkpoints", "evaluation"})
"""Fields that reports alone change; they may wait for the next write."""

WORKER_FIELDS: Final = frozenset({"workers", "pod_uids"})
"""Fields that change with each pod that comes or goes."""


def next_status(seen: Observed, wish: Wish, decision: Decision, now: datetime) -> Status:
    """The whole status to write. Equal to the present one if there is nothing to write."""
    now = now.replace(microsecond=0)
    if seen.deleting:
        return seen.status
    if decision.attempt is not None:
        fresh = _begun_anew(seen.status, decision.attempt)
        return fresh.model_copy(update=_said(replace(seen, status=fresh), wish, decision, now))
    if seen.finished:
        return _with_last_words(_told_after_the_end(seen.status, wish, decision, now), seen, now)
    status = seen.status.model_copy(update=_said(seen, wish, decision, now))
    status = _counted(status, seen, wish, decision, now)
    status = _with_time(status, decision, now)
    status = _with_report(status, seen, wish, now)
    if _true(status, ConditionType.SUCCEEDED):
        status = _with_last_words(status, seen, now)
    elif (failure := seen.failure()) is not None and failure.message is not None:
        restarts = progress.restarts_of_the_end(status.restarts, failure.message)
        status = status.model_copy(update={"restarts": restarts})
    return status


def only_progress_differs(one: Status, other: Status) -> bool:
    """Whether the two say the same but for what reports change all the time."""
    return _without(one, PROGRESS_FIELDS) == _without(other, PROGRESS_FIELDS)


def workers_are_changing(now: Status, before: Status) -> bool:
    """Whether the next pod of a group is likely to change the status again in a moment.

    So it is if nothing but pods has changed, or if some more run, but not yet all.
    """
    fields = PROGRESS_FIELDS | WORKER_FIELDS
    if _without(now, fields) == _without(before, fields):
        return True
    if now.workers is None or now.restarts != before.restarts:
        return False
    return (
        (before.workers.running if before.workers else 0)
        < now.workers.running
        < (now.workers.desired)
    )


def _without(status: Status, fields: frozenset[str]) -> Status:
    return status.model_copy(update=dict.fromkeys(fields))


def _begun_anew(status: Status, attempt: int) -> Status:
    """What was counted against a budget is forgotten; what was learnt of training is not."""
    return status.model_copy(
        update={
            "attempt": attempt,
            "restarts": Restarts(recent=status.restarts.recent),
            "stall": None,
            "active_seconds": 0,
            "active_since": None,
            "completion_time": None,
            "pod_uids": (),
        }
    )


def _told_after_the_end(status: Status, wish: Wish, decision: Decision, now: datetime) -> Status:
    """Phase and message stay those of the end."""
    if not decision.verdicts:
        return status
    told = conditions.merged(status.conditions, decision.verdicts, wish.generation, now)
    return status.model_copy(update={"conditions": told, "observed_generation": wish.generation})


def _said(seen: Observed, wish: Wish, decision: Decision, now: datetime) -> dict[str, Any]:
    merged = conditions.merged(seen.status.conditions, decision.verdicts, wish.generation, now)
    said: dict[str, Any] = {
        "conditions": merged,
        "phase": conditions.phase(merged),
        "observed_generation": wish.generation,
    }
    if decision.verdicts:
        said["message"] = decision.verdicts[0].message
    if wish.problem is None and wish.refused_edit is None:
        said["plan"] = wish.choices
    if seen.job is not None:
        said["backend"] = Backend(kind=BACKEND_KIND, name=seen.job.name, uid=seen.job.uid)
    return said


def _counted(
    status: Status, seen: Observed, wish: Wish, decision: Decision, now: datetime
) -> Status:
    update: dict[str, Any] = {}
    if wish.problem is None:
        # Of a run that has ended none trains, also where a pod's own end is yet to be seen.
        running = 0 if decision.activity is Activity.ENDED else seen.running
        update["workers"] = WorkerCounts(
            desired=wish.workers, running=running, summary=f"{running}/{wish.workers}"
        )
    healthy = wish.policy.reset_restarts_after_steps
    if decision.stalled_at is not None:
        update["restarts"] = with_lost_pods(status, 1, healthy)
        update["stall"] = Stall(step=decision.stalled_at, at=now)
        update["pod_uids"] = ()
    elif decision.activity is Activity.ACTIVE:
        update["restarts"] = with_lost_pods(status, lost_pods(seen, wish), healthy)
        update["pod_uids"] = live_pods(seen, wish)
    elif decision.activity in {Activity.IDLE, Activity.ENDED}:
        update["pod_uids"] = ()
    return status.model_copy(update=update)


def _with_time(status: Status, decision: Decision, now: datetime) -> Status:
    update: dict[str, Any] = {}
    if status.start_time is None and _true(status, ConditionType.ACCEPTED):
        update["start_time"] = now
    if decision.activity is Activity.ACTIVE and status.active_since is None:
        update["active_since"] = now
    if decision.activity in {Activity.IDLE, Activity.ENDED} and status.active_since is not None:
        spent = max(0, round((now - status.active_since).total_seconds()))
        update["active_seconds"] = status.active_seconds + spent
        update["active_since"] = None
    if decision.activity is Activity.ENDED:
        update["completion_time"] = now
    return status.model_copy(update=update)


def _with_report(status: Status, seen: Observed, wish: Wish, now: datetime) -> Status:
    if seen.report is None:
        return status
    update: dict[str, Any] = {"progress": progress.progress(status.progress, seen.report)}
    report = seen.report.report
    if block := report.training_run:
        known = progress.checkpoints(status.checkpoints, block.checkpoints, wish.keep)
        update["checkpoints"] = known
        told = storage_verdicts(seen, known.last_good)
        update["conditions"] = conditions.merged(status.conditions, told, wish.generation, now)
        update["restarts"] = progress.restarts_reported(status.restarts, block.restarts)
    if metrics := progress.evaluation(report):
        update["evaluation"] = dict(metrics)
    return status.model_copy(update=update)


def _with_last_words(status: Status, seen: Observed, now: datetime) -> Status:
    """What the workers' termination messages add, which may be seen later than the job's end."""
    if not _true(status, ConditionType.SUCCEEDED) or status.summary is not None:
        return status
    message = next(
        (t.message for t in seen.terminations() if t.message and t.message.summary), None
    )
    if message is None or not isinstance(message.summary, Summary):
        return status
    summary = message.summary
    return status.model_copy(
        update={
            "summary": summary,
            "progress": progress.finished_progress(status.progress, summary, now),
            "checkpoints": progress.checkpoint_of_the_end(status.checkpoints, summary),
            "restarts": progress.restarts_of_the_end(status.restarts, message),
            "evaluation": dict(summary.evaluation) or status.evaluation,
        }
    )


def _true(status: Status, kind: ConditionType) -> bool:
    return any(c.type is kind and c.status == "True" for c in status.conditions)

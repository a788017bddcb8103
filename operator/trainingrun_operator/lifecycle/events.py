"""What `kubectl describe` tells of a run: an event for each thing that a person wants to know.

Each costs a request, so that progress is no event, and only the first of many checkpoints is one.
What an event tells is in the status as well: a lost event loses nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from trainingrun_operator.api.conditions import ConditionType, Reason
from trainingrun_operator.api.status import Condition, Status
from trainingrun_operator.lifecycle.decision import Decision, Verdict
from trainingrun_operator.lifecycle.words import duration
from trainingrun_trainer.report import CheckpointRecord, Restart

RESTARTS_TOLD: Final = 3
"""Of those that one report brings: the newest so many."""
_UNTOLD: Final = frozenset({Reason.JOB_CREATED})
"""Told together with the workers that then run: one write less for each run."""
_HARMLESS: Final = frozenset(
    {Reason.WAITING_FOR_PODS, Reason.SUSPENDED, Reason.NOT_SUSPENDED, Reason.RETRIED}
)


@dataclass(frozen=True)
class Event:
    """A Kubernetes event about a run. The same event told twice is one."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str
    id: str


def events(uid: str, before: Status, after: Status, decision: Decision) -> tuple[Event, ...]:
    """What is to be told of the step from one written status to the next."""
    return (
        *_verdicts(uid, before, after, decision),
        *_restarts(uid, before, after),
        *_checkpoints(uid, before, after),
    )


def _verdicts(uid: str, before: Status, after: Status, decision: Decision) -> Iterator[Event]:
    """The verdict that decided, and that an edit is refused while the run goes on."""
    first, *others = decision.verdicts or (None,)
    told = [first, *(v for v in others if v and v.type is ConditionType.ACCEPTED)]
    for said in told:
        if said is None or said.reason in _UNTOLD or (said is not first and said.status == "True"):
            continue
        now, known = _condition(after, said.type), _condition(before, said.type)
        if now is None or (known and (known.status, known.reason) == (said.status, said.reason)):
            continue
        # The same may be true again later, which is another event.
        moment = (after.observed_generation, now.last_transition_time, after.restarts.total)
        yield Event(
            "Warning" if _bad(said, decision) else "Normal",
            said.reason,
            _with_the_job(said, before, after),
            _identity(uid, said.type, said.reason, *moment),
        )


def _bad(said: Verdict, decision: Decision) -> bool:
    if said.type is ConditionType.FAILED and said.status == "True":
        return True
    replaced = any(
        v.type is ConditionType.JOB_CREATED and v.reason is Reason.RESTARTING
        for v in decision.verdicts
    )
    return said.status == "False" and said.reason not in _HARMLESS and not replaced


def _with_the_job(said: Verdict, before: Status, after: Status) -> str:
    made = _condition(after, ConditionType.JOB_CREATED)
    ran = _condition(before, ConditionType.RUNNING)
    news = said.reason is Reason.WORKERS_RUNNING and (
        ran is None or ran.reason == Reason.WAITING_FOR_PODS
    )
    if not news or made is None:
        return said.message
    took = duration(_since(after, made))
    return f"PyTorchJob {after.backend.name if after.backend else ''} is {took} old; {said.message}"


def _since(after: Status, made: Condition) -> timedelta:
    running = _condition(after, ConditionType.RUNNING)
    return (running.last_transition_time if running else made.last_transition_time) - (
        made.last_transition_time
    )


def _restarts(uid: str, before: Status, after: Status) -> Iterator[Event]:
    known = {(r.at, r.cause) for r in before.restarts.recent}
    news = [r for r in after.restarts.recent if (r.at, r.cause) not in known]
    for restart in news[-RESTARTS_TOLD:]:
        identity = _identity(uid, restart.cause, restart.at)
        yield Event("Warning", restart.cause, _told(restart), identity)


def _told(restart: Restart) -> str:
    rank = "the ranks were" if restart.rank is None else f"rank {restart.rank} failed, all were"
    took = restart.seconds_to_first_step
    back = "" if took is None else f", {took:.1f} s to the first step"
    why = f": {restart.detail}" if restart.detail else ""
    return (
        f"{rank} started again at step {restart.resumed_step}, {restart.lost_steps} steps lost"
        f"{back}{why}"
    )


def _checkpoints(uid: str, before: Status, after: Status) -> Iterator[Event]:
    known = {record.path for record in before.checkpoints.recent}
    news = [record for record in after.checkpoints.recent if record.path not in known]
    if before.checkpoints.last_good is None and after.checkpoints.last_good is not None:
        message = (
            f"the first checkpoint is whole: {after.checkpoints.path}; the newest is in "
            "status.checkpoints"
        )
        yield Event("Normal", "CheckpointSaved", message, _identity(uid, "first checkpoint"))
    for record in news:
        if not record.verified:
            identity = _identity(uid, "set aside", record.path)
            yield Event("Warning", "CheckpointSetAside", _set_aside(record), identity)


def _set_aside(record: CheckpointRecord) -> str:
    return (
        f"the checkpoint of step {record.step} is damaged: {record.problem}; it lies in "
        f"{record.path}, and may be deleted"
    )


def _condition(status: Status, kind: ConditionType) -> Condition | None:
    return next((c for c in status.conditions if c.type is kind), None)


def _identity(*words: object) -> str:
    return hashlib.sha256(repr([str(word) for word in words]).encode()).hexdigest()[:16]

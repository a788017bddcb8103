"""All that a diagnosis looks at, and what it comes to. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from kubectl_trainingrun.run_view import RunView
from trainingrun_operator.api.conditions import ConditionType
from trainingrun_operator.lifecycle.observed import Job, Pod


@dataclass(frozen=True)
class Event:
    """What some part of the cluster has told of the run, its job, pods or claim."""

    object: str
    """Kind and name."""
    type: str
    reason: str
    message: str
    at: datetime | None = None


@dataclass(frozen=True)
class Node:
    """A node, and which of its troubles hold: DiskPressure and the like."""

    name: str
    ready: bool
    pressures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Snapshot:
    """One run and its surroundings at one moment; None is what could not be looked at."""

    run: RunView
    now: datetime
    job: Job | None = None
    pods: tuple[Pod, ...] = ()
    events: tuple[Event, ...] = ()
    claim_name: str | None = None
    """The claim that the run names."""
    claim_phase: str | None = None
    """`Bound` and the like; "" if there is no such claim."""
    nodes: tuple[Node, ...] | None = None
    operator_up: bool | None = None
    training_operator_up: bool | None = None
    log: tuple[str, ...] = ()
    """The last lines of worker 0."""

    def said(self, kind: ConditionType, *reasons: str) -> str | None:
        """The message of a condition if it has one of these reasons."""
        found = self.run.condition(kind)
        return found.message if found is not None and found.reason in reasons else None

    def is_true(self, kind: ConditionType) -> bool:
        found = self.run.condition(kind)
        return found is not None and found.status == "True"

    @property
    def age(self) -> timedelta:
        return self.now - self.run.created

    @property
    def texts(self) -> tuple[str, ...]:
        """All that anybody says of the run: log, last words, conditions, events."""
        ends = [pod.termination for pod in self.pods if pod.termination]
        words = [e.text for e in ends]
        words += [e.message.failure.message for e in ends if e.message and e.message.failure]
        conditions = [c.message for c in self.run.status.conditions]
        return (*self.log, *words, *conditions, *(e.message for e in self.events))

    def saying(self, *parts: str) -> str | None:
        """The first text with one of these words in it."""
        return next((t for t in self.texts if any(p.lower() in t.lower() for p in parts)), None)


@dataclass(frozen=True)
class Trouble:
    """Something in the way, in words, and what to do."""

    name: str
    what: str
    mend: str

"""The outcome of the checks: what to say of a run, what to do, and when to look again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from typing import Literal

from trainingrun_operator.api.conditions import ConditionType, Reason


@dataclass(frozen=True)
class Verdict:
    """What one condition should say."""

    type: ConditionType
    status: Literal["True", "False"]
    reason: Reason
    message: str


@dataclass(frozen=True)
class ApplyChildren:
    """Make the run's objects, the job last."""


@dataclass(frozen=True)
class AdjustJob:
    """Edit the two fields of the job that may change while it lives."""

    name: str
    workers: int
    suspend: bool


@dataclass(frozen=True)
class DeleteJob:
    """Delete this very job and its pods, to make it anew."""

    name: str
    uid: str


@dataclass(frozen=True)
class DeleteRun:
    """Delete this very run; what it owns goes with it."""

    name: str
    uid: str


@dataclass(frozen=True)
class DeletePods:
    """Delete these very pods, by name and UID; `at_once` without the consent of their node."""

    pods: tuple[tuple[str, str], ...]
    at_once: bool = False


Action = ApplyChildren | AdjustJob | DeleteJob | DeleteRun | DeletePods


class Activity(Enum):
    """How the present time and the pods of the present moment count."""

    IDLE = auto()
    """No time is charged, and pods that go are not lost."""
    ACTIVE = auto()
    """Time is charged, and a pod that goes is a restart."""
    ENDED = auto()
    """The run is over: nothing counts any more."""
    UNCHANGED = auto()
    """As it was."""


@dataclass(frozen=True)
class Decision:
    """What follows from one look at a run. The first verdict is the one that decided."""

    verdicts: tuple[Verdict, ...] = ()
    activity: Activity = Activity.UNCHANGED
    actions: tuple[Action, ...] = ()
    recheck_after: timedelta | None = None
    attempt: int | None = None
    """The attempt that begins with this decision: what was counted of the last one is put aside."""
    stalled_at: int | None = None
    """The step at which the pods are given up: all of them together count as one restart."""

"""Verdicts become conditions; conditions become a phase."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from trainingrun_operator.api.conditions import ConditionType, Phase, Reason
from trainingrun_operator.api.status import Condition
from trainingrun_operator.lifecycle.decision import Verdict
from trainingrun_operator.lifecycle.words import shortened

MESSAGE_LENGTH: Final = 4096
_ORDER: Final = tuple(ConditionType)


def merged(
    known: Iterable[Condition], verdicts: Iterable[Verdict], generation: int, now: datetime
) -> tuple[Condition, ...]:
    """The known conditions with the verdicts written over them, in the order of their types.

    A transition time changes only with its condition's status, as in metav1.Condition. A condition
    of which nothing new is said holds for the present generation too: `kubectl wait` passes over
    those of an older one.
    """
    conditions = {c.type: c.model_copy(update={"observed_generation": generation}) for c in known}
    for verdict in verdicts:
        before = conditions.get(verdict.type)
        kept = before is not None and before.status == verdict.status
        conditions[verdict.type] = Condition(
            type=verdict.type,
            status=verdict.status,
            reason=verdict.reason,
            message=shortened(verdict.message, MESSAGE_LENGTH),
            last_transition_time=before.last_transition_time if kept and before else now,
            observed_generation=generation,
        )
    return tuple(sorted(conditions.values(), key=lambda c: _ORDER.index(c.type)))


def phase(conditions: Iterable[Condition]) -> Phase:
    """The conditions in one word."""
    known = {c.type: c for c in conditions}
    return next(
        (word for word, (kind, holds) in _PHASES.items() if kind in known and holds(known[kind])),
        Phase.PENDING,
    )


def _true(condition: Condition) -> bool:
    return condition.status == "True"


def _false_for(*reasons: Reason) -> Callable[[Condition], bool]:
    return lambda c: c.status == "False" and c.reason in reasons


def _false_but_for(*reasons: Reason) -> Callable[[Condition], bool]:
    return lambda c: c.status == "False" and c.reason not in reasons


_PHASES: Final[dict[Phase, tuple[ConditionType, Callable[[Condition], bool]]]] = {
    Phase.FAILED: (ConditionType.FAILED, _true),
    Phase.SUCCEEDED: (ConditionType.SUCCEEDED, _true),
    # A refused edit of a run that has its job changes nothing of what the run is doing.
    Phase.INVALID: (ConditionType.JOB_CREATED, _false_for(Reason.INVALID_SPEC)),
    Phase.PENDING: (ConditionType.JOB_CREATED, _false_but_for(Reason.RESTARTING, Reason.RETRIED)),
    Phase.SUSPENDED: (ConditionType.SUSPENDED, _true),
    Phase.RUNNING: (ConditionType.RUNNING, _true),
    Phase.RESTARTING: (
        ConditionType.RUNNING,
        _false_for(Reason.RESTARTING, Reason.BELOW_MINIMUM),
    ),
    Phase.STARTING: (ConditionType.JOB_CREATED, _true),
}
"""The first that fits, in this order."""

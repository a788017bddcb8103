"""Whether the workers run on what was planned, told beside whatever else is decided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from trainingrun_operator.api.conditions import ConditionType, Reason
from trainingrun_operator.lifecycle.decision import Activity, Decision, Verdict
from trainingrun_operator.lifecycle.observed import Observed
from trainingrun_operator.lifecycle.wish import Wish
from trainingrun_operator.lifecycle.words import shortened
from trainingrun_trainer.report import Finding

MESSAGE_LENGTH: Final = 2048
GUARANTEED: Final = "Guaranteed"


def with_stack(decided: Decision, seen: Observed, wish: Wish) -> Decision:
    """The decision, with StackVerified once something is known of it.

    Says: StackVerified=True StackAsPlanned, StackVerified=False BackendFallback, NotGuaranteed or
    StackDiffers.
    """
    if not decided.verdicts or decided.activity not in {Activity.ACTIVE, Activity.ENDED}:
        return decided
    wrong = [*_asked_and_not_had(wish), *_not_guaranteed(seen), *_not_as_planned(seen)]
    if wrong:
        message = shortened("; ".join(text for _, text in wrong), MESSAGE_LENGTH)
        verdict = Verdict(ConditionType.STACK_VERIFIED, "False", wrong[0][0], message)
    elif found := _found(seen):
        message = f"{len(found)} checks in the pods found what was planned"
        verdict = Verdict(ConditionType.STACK_VERIFIED, "True", Reason.STACK_AS_PLANNED, message)
    else:
        return decided
    return replace(decided, verdicts=(*decided.verdicts, verdict))


def _asked_and_not_had(wish: Wish) -> Iterator[tuple[Reason, str]]:
    if wish.fallback:
        yield Reason.BACKEND_FALLBACK, wish.fallback


def _not_guaranteed(seen: Observed) -> Iterator[tuple[Reason, str]]:
    """A container added at admission without limits makes a pod Burstable."""
    for pod in seen.pods:
        if pod.qos and pod.qos != GUARANTEED and not pod.ended:
            message = (
                f"{pod.name} is {pod.qos} and not {GUARANTEED}: its CPUs are not its own; give the "
                "container that an admission webhook adds equal requests and limits"
            )
            yield Reason.NOT_GUARANTEED, message
            return


def _not_as_planned(seen: Observed) -> Iterator[tuple[Reason, str]]:
    for told in _found(seen):
        if told.problem:
            difference = f"{told.name}: planned {told.planned}, found {told.found}"
            yield Reason.STACK_DIFFERS, f"{difference}: {told.problem}"


def _found(seen: Observed) -> tuple[Finding, ...]:
    block = seen.report.report.training_run if seen.report is not None else None
    return block.stack if block is not None else ()

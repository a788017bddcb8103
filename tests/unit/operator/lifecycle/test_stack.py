"""What users are told of what their workers run on."""

from __future__ import annotations

from tests.unit.operator.lifecycle.seen import (
    NOW,
    RAN,
    SUCCEEDED,
    WISH,
    after,
    job,
    pod,
    seen,
    stuck,
    wish,
)
from trainingrun_operator.api.conditions import ConditionType
from trainingrun_operator.api.status import Condition, Status
from trainingrun_operator.lifecycle.observed import ReceivedReport
from trainingrun_trainer.report import Report

FALLBACK = "spec.communication.backend: runtime cpu has no ccl; gloo takes its place"
AS_PLANNED = {"name": "threads", "planned": "2", "found": "torch 2, running 2"}
TOO_SLOW = {
    "name": "precision",
    "planned": "bfloat16",
    "found": "bfloat16 on avx2",
    "problem": "this processor emulates bfloat16; write auto",
}


def reported(*stack: dict[str, str]) -> ReceivedReport:
    block = {"step": 1, "totalSteps": 40, "stack": stack}
    return ReceivedReport(Report.model_validate({"trainerStatus": {}, "trainingRun": block}), NOW)


def told(status: Status) -> Condition | None:
    return next((c for c in status.conditions if c.type is ConditionType.STACK_VERIFIED), None)


def test_nothing_is_said_of_a_stack_that_nobody_has_looked_at() -> None:
    assert told(after(seen(job(), pod(0), pod(1), status=RAN))) is None


def test_a_stack_that_is_as_planned_is_verified() -> None:
    condition = told(after(seen(job(), pod(0), pod(1), status=RAN, report=reported(AS_PLANNED))))
    assert condition is not None
    assert (condition.status, condition.reason) == ("True", "StackAsPlanned")
    assert condition.message == "1 checks in the pods found what was planned"


def test_what_differs_is_named_with_the_mend() -> None:
    report = reported(AS_PLANNED, TOO_SLOW)
    condition = told(after(seen(job(), pod(0), pod(1), status=RAN, report=report)))
    assert condition is not None
    assert (condition.status, condition.reason) == ("False", "StackDiffers")
    assert condition.message == (
        "precision: planned bfloat16, found bfloat16 on avx2: this processor emulates bfloat16; "
        "write auto"
    )


def test_a_backend_that_cannot_be_had_is_told_as_soon_as_the_job_is_made() -> None:
    status = after(seen(None), wish(fallback=FALLBACK))
    condition = told(status)
    assert condition is not None
    assert (condition.status, condition.reason) == ("False", "BackendFallback")
    assert condition.message == FALLBACK
    assert status.message != FALLBACK, "what carries the run out is told first"


def test_a_fallback_is_still_told_when_everything_else_is_as_planned() -> None:
    observed = seen(job(), pod(0), pod(1), status=RAN, report=reported(AS_PLANNED))
    condition = told(after(observed, wish(fallback=FALLBACK)))
    assert condition is not None
    assert condition.reason == "BackendFallback"


def test_a_pod_whose_cpus_are_not_its_own_is_named() -> None:
    pods = (pod(0, qos="Guaranteed"), pod(1, qos="Burstable"))
    condition = told(after(seen(job(), *pods, status=RAN, report=reported(AS_PLANNED))))
    assert condition is not None
    assert (condition.status, condition.reason) == ("False", "NotGuaranteed")
    assert condition.message.startswith("squad-worker-1 is Burstable and not Guaranteed")


def test_pods_that_wait_are_looked_at_too() -> None:
    waiting = seen(job(), stuck("ImagePullBackOff"))
    assert told(after(waiting)) is None


def test_a_run_that_is_refused_has_no_stack() -> None:
    assert told(after(seen(None), wish(problem="spec.workers: wrong", fallback=FALLBACK))) is None


def test_after_the_end_the_stack_stays_as_it_was_told() -> None:
    status = after(seen(job("Succeeded"), status=SUCCEEDED, report=reported(TOO_SLOW)), WISH)
    assert told(status) is None

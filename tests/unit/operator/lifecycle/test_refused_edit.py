"""A spec that becomes wrong while the run goes on: the job is the record of what was accepted."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.operator.lifecycle.seen import (
    NOW,
    RAN,
    UID,
    after,
    ended,
    job,
    pod,
    seen,
    verdict,
    wish,
)
from trainingrun_operator.api.conditions import ConditionType, Phase, Reason
from trainingrun_operator.api.status import PlanChoice
from trainingrun_operator.lifecycle.checks import decide
from trainingrun_operator.lifecycle.decision import AdjustJob, DeleteJob
from trainingrun_operator.lifecycle.observed import Job, Observed
from trainingrun_operator.lifecycle.wish import Wish

RUNNING = job("Running", min_workers=2)


def edited(made: Job | None = RUNNING, **policy: object) -> Wish:
    """What the spec wishes after an edit that does not fit."""
    wrong = wish(problem="spec.workers.count: 3 does not divide", spec_hash="new", **policy)
    return wrong.as_job_was_made(made, UID)


def running(**more: object) -> Observed:
    return seen(RUNNING, pod(0), pod(1), status=RAN, **more)


def test_a_run_goes_on_as_its_job_was_made_and_says_that_the_edit_is_refused() -> None:
    status = after(running(), edited())

    accepted = next(c for c in status.conditions if c.type is ConditionType.ACCEPTED)
    assert status.phase is Phase.RUNNING
    assert (accepted.status, accepted.reason) == ("False", Reason.INVALID_SPEC)
    assert "spec.workers.count: 3 does not divide" in accepted.message
    assert "goes on" in accepted.message


def test_a_job_is_not_made_anew_for_a_refused_edit() -> None:
    actions = decide(running(), edited(), NOW).actions

    assert not any(isinstance(action, DeleteJob | AdjustJob) for action in actions)


def test_the_plan_and_the_workers_that_are_shown_stay_those_of_the_job() -> None:
    plan = (PlanChoice(name="threads", value="4", reason="four CPUs"),)
    known = RAN.model_copy(update={"plan": plan})

    status = after(replace(running(), status=known), edited())

    assert status.plan == plan
    assert status.workers.summary == "2/2"


def test_a_run_with_a_wrong_spec_can_be_suspended() -> None:
    decision = decide(running(), edited(suspend=True), NOW)

    assert verdict(decision) == ("Suspended", "True", "Suspended")
    assert decision.actions == (AdjustJob("squad", 2, suspend=True),)


def test_workers_that_are_lost_meanwhile_are_counted() -> None:
    status = after(seen(RUNNING, pod(0), status=RAN), edited())

    assert status.restarts.pods == 1
    assert status.phase is Phase.RESTARTING


def test_the_end_of_the_run_is_an_end_like_any_other() -> None:
    status = after(seen(job("Failed"), ended(0, 1), status=RAN), edited())

    assert status.phase is Phase.FAILED
    assert not any(c.type is ConditionType.ACCEPTED for c in status.conditions)


def test_a_stall_that_the_operator_cannot_see_is_not_waited_for() -> None:
    unseen = edited(stall_timeout_seconds=60, reports=False)

    assert unseen.policy.stall_timeout_seconds is None


def test_a_run_whose_job_is_gone_is_invalid() -> None:
    status = after(seen(None, status=RAN), edited(None))

    assert status.phase is Phase.INVALID
    assert {c.type: c.status for c in status.conditions} == {
        ConditionType.ACCEPTED: "False",
        ConditionType.JOB_CREATED: "False",
        ConditionType.RUNNING: "False",
    }


def test_a_job_of_somebody_else_says_nothing_of_the_wish() -> None:
    assert edited(job("Running", owner_uid="theirs")).problem is not None

"""Snapshots to decide on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from trainingrun_operator.api.conditions import ConditionType, Reason
from trainingrun_operator.api.policy import Policy
from trainingrun_operator.api.status import Condition, Status, WorkerCounts
from trainingrun_operator.lifecycle.account import next_status
from trainingrun_operator.lifecycle.checks import decide
from trainingrun_operator.lifecycle.decision import Decision
from trainingrun_operator.lifecycle.observed import (
    Job,
    Observed,
    Pod,
    ReceivedReport,
    Termination,
    Waiting,
)
from trainingrun_operator.lifecycle.wish import Wish
from trainingrun_trainer.report import Failure, Report, Summary, TerminationMessage

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
UID = "run-uid"
JOB = Job(
    name="squad", uid="job-uid", owner_uid=UID, spec_hash="hash", workers=2,
    conditions={"Created": ("", NOW)},
)  # fmt: skip
WISH = Wish(
    name="squad", namespace="ml", generation=3, workers=2, min_workers=1, spec_hash="hash",
    claim="data",
)  # fmt: skip
SUMMARY = Summary(steps=40, last_loss=2.25, checkpoint="/runs/squad/checkpoint-40")


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def wish(**changes: Any) -> Wish:
    """The wish with these fields; fields of the policy may be among them."""
    policy = {name: changes.pop(name) for name in list(changes) if name in Policy.model_fields}
    return replace(WISH, policy=Policy(**policy), **changes)


def seen(job: Job | None = JOB, *pods: Pod, status: Status | None = None, **more: Any) -> Observed:
    """A run with this job and these pods."""
    return Observed(uid=UID, job=job, pods=pods, status=status or Status(), **more)


def pod(index: int = 0, **changes: Any) -> Pod:
    """A running worker."""
    uid = changes.pop("uid", f"pod-{index}")
    return replace(
        Pod(f"squad-worker-{index}", uid, "squad", "job-uid", index, "Running", running=True),
        **changes,
    )


def ended(index: int, exit_code: int, **changes: Any) -> Pod:
    """A worker that has ended; `failure` or `summary` are its last words."""
    words = {k: changes.pop(k) for k in ("failure", "summary") if k in changes}
    message = TerminationMessage(**words) if words else None
    termination = Termination(f"squad-worker-{index}", exit_code, message=message, **changes)
    phase = "Failed" if exit_code else "Succeeded"
    return pod(index, phase=phase, running=False, termination=termination)


def failure(message: str) -> Failure:
    return Failure(reason="DataNotFound", message=message, field="spec.data.train", rank=1)


def stuck(reason: str, message: str = "") -> Pod:
    """A worker whose container does not start."""
    waiting = Waiting(reason, message, "example.org/trainer:1")
    return pod(phase="Pending", running=False, waiting=waiting)


def job(*conditions: str, since: datetime = NOW - timedelta(minutes=1), **changes: Any) -> Job:
    """The job, with these conditions since some time ago."""
    held = {name: (f"PyTorchJob squad is {name}.", since) for name in conditions}
    return replace(JOB, conditions=held, **changes)


def status(kind: ConditionType, value: str, reason: Reason, **more: Any) -> Status:
    """A status with one condition."""
    condition = Condition(
        type=kind, status=value, reason=reason, last_transition_time=NOW - timedelta(minutes=1)
    )
    return Status(conditions=(condition,), **more)


RAN = status(
    ConditionType.RUNNING, "True", Reason.WORKERS_RUNNING,
    workers=WorkerCounts(desired=2, running=2, summary="2/2"),
    pod_uids=("pod-0", "pod-1"), active_since=NOW - timedelta(minutes=10),
)  # fmt: skip
FAILED = status(ConditionType.FAILED, "True", Reason.JOB_FAILED, observed_generation=3)
SUCCEEDED = status(
    ConditionType.SUCCEEDED,
    "True",
    Reason.COMPLETED,
    completion_time=NOW - timedelta(minutes=1),
    observed_generation=3,
)


def reported(step: int) -> ReceivedReport:
    """A report that has just come."""
    block = {"step": step, "totalSteps": 40}
    return ReceivedReport(Report.model_validate({"trainerStatus": {}, "trainingRun": block}), NOW)


def verdict(decision: Decision) -> tuple[str, str, str]:
    """Type, status and reason of the verdict that decided."""
    first = decision.verdicts[0]
    return first.type, first.status, first.reason


def after(observed: Observed, wanted: Wish = WISH, now: datetime = NOW) -> Status:
    """The status that one look leads to."""
    return next_status(observed, wanted, decide(observed, wanted, now), now)

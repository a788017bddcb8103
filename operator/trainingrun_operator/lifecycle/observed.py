"""A typed snapshot of one run's world, parsed leniently from what the API server gives.

Raw objects come in as dictionaries and go no further than this module: a field that is absent or
of another shape reads as its empty value, so that no object in the cluster can stop the operator.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from pydantic import ValidationError

from trainingrun_operator.api.conditions import ConditionType
from trainingrun_operator.api.status import Condition, Status
from trainingrun_operator.api.v1alpha1 import (
    ATTEMPT_ANNOTATION,
    RENDEZVOUS_ANNOTATION,
    RUN_LABEL,
    SPEC_HASH_ANNOTATION,
)
from trainingrun_operator.lifecycle.quota import Quota
from trainingrun_trainer.report import Report, Summary, TerminationMessage

CONTAINER: Final = "pytorch"
"""The training operator demands this name for the container that trains."""
PODS_PATIENCE: Final = timedelta(seconds=10)
"""The training operator makes pods within a second or two."""
REPLICA_INDEX_LABEL: Final = "training.kubeflow.org/replica-index"

Raw = Mapping[str, Any]


class Claim(StrEnum):
    """What is known of the claim that the run names."""

    UNREAD = "unread"
    FOUND = "found"
    MISSING = "missing"
    LOST = "lost"


@dataclass(frozen=True)
class Waiting:
    """Why a container does not start, as the kubelet says."""

    reason: str
    message: str
    image: str


@dataclass(frozen=True)
class Termination:
    """How a worker's container ended. `text` is the raw message where it is none of ours."""

    pod: str
    exit_code: int
    reason: str = ""
    message: TerminationMessage | None = None
    text: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Pod:
    """One worker's pod."""

    name: str
    uid: str
    run: str = ""
    owner_uid: str = ""
    index: int = 0
    phase: str = ""
    running: bool = False
    deleting: bool = False
    deletion_due: datetime | None = None
    """When its grace period is over, of a pod that is being deleted."""
    waiting: Waiting | None = None
    unschedulable: str | None = None
    """Why no node takes it, in the scheduler's words."""
    unschedulable_since: datetime | None = None
    termination: Termination | None = None
    qos: str = ""
    """The quality of service that Kubernetes gave it."""

    @property
    def ended(self) -> bool:
        return self.phase in {"Succeeded", "Failed"}

    @classmethod
    def parse(cls, raw: Raw) -> Pod:
        """The pod in a raw object."""
        meta, status = _dict(raw, "metadata"), _dict(raw, "status")
        labels = _dict(meta, "labels")
        container = next(
            (c for c in _dicts(status, "containerStatuses") if c.get("name") == CONTAINER), {}
        )
        state = _dict(container, "state")
        name = _text(meta, "name")
        refusal = _unschedulable(status)
        return cls(
            name=name,
            uid=_text(meta, "uid"),
            run=_text(labels, RUN_LABEL),
            owner_uid=_owner(meta),
            index=_number(labels.get(REPLICA_INDEX_LABEL)),
            phase=_text(status, "phase"),
            running="running" in state and "deletionTimestamp" not in meta,
            deleting="deletionTimestamp" in meta,
            deletion_due=_time(meta.get("deletionTimestamp")),
            waiting=_waiting(raw, status),
            unschedulable=_text(refusal, "message") if refusal else None,
            unschedulable_since=_time(refusal.get("lastTransitionTime")) if refusal else None,
            termination=_termination(name, _dict(state, "terminated")),
            qos=_text(status, "qosClass"),
        )


@dataclass(frozen=True)
class Job:
    """The PyTorchJob. `conditions` has only those that hold, with message and time."""

    name: str
    uid: str
    owner_uid: str = ""
    spec_hash: str = ""
    attempt: int = 0
    workers: int = 0
    min_workers: int = 1
    max_workers: int | None = None
    suspended: bool = False
    deleting: bool = False
    created_at: datetime | None = None
    rendezvous: str = ""
    """The Job that holds its rendezvous; "" if worker 0 does."""
    conditions: Mapping[str, tuple[str, datetime | None]] = field(default_factory=dict)

    def holds(self, condition: str) -> bool:
        return condition in self.conditions

    def takes(self, workers: int) -> bool:
        """Whether it can come to this number of workers and stay."""
        return self.min_workers <= workers <= (self.max_workers or workers)

    @property
    def finished(self) -> bool:
        return self.holds("Succeeded") or self.holds("Failed")

    def message(self, condition: str) -> str:
        return self.conditions.get(condition, ("", None))[0]

    def since(self, condition: str) -> datetime | None:
        return self.conditions.get(condition, ("", None))[1]

    @classmethod
    def parse(cls, raw: Raw) -> Job:
        """The job in a raw object."""
        meta, spec, status = (_dict(raw, part) for part in ("metadata", "spec", "status"))
        worker = _dict(_dict(spec, "pytorchReplicaSpecs"), "Worker")
        return cls(
            name=_text(meta, "name"),
            uid=_text(meta, "uid"),
            owner_uid=_owner(meta),
            spec_hash=_text(_dict(meta, "annotations"), SPEC_HASH_ANNOTATION),
            attempt=_number(_dict(meta, "annotations").get(ATTEMPT_ANNOTATION)),
            rendezvous=_text(_dict(meta, "annotations"), RENDEZVOUS_ANNOTATION),
            workers=_number(worker.get("replicas")),
            min_workers=_number(_dict(spec, "elasticPolicy").get("minReplicas")) or 1,
            max_workers=_number(_dict(spec, "elasticPolicy").get("maxReplicas")) or None,
            suspended=_dict(spec, "runPolicy").get("suspend") is True,
            deleting="deletionTimestamp" in meta,
            created_at=_time(meta.get("creationTimestamp")),
            conditions={
                _text(c, "type"): (_text(c, "message"), _time(c.get("lastTransitionTime")))
                for c in _dicts(status, "conditions")
                # The training operator leaves conditions behind with status False.
                if c.get("status") == "True"
            },
        )


@dataclass(frozen=True)
class ReceivedReport:
    """The newest progress post of a run."""

    report: Report
    at: datetime


@dataclass(frozen=True)
class Observed:
    """All that is seen of one run at one moment."""

    uid: str
    status: Status = field(default_factory=Status)
    deleting: bool = False
    job: Job | None = None
    pods: tuple[Pod, ...] = ()
    """Pods of the present job only."""
    claim: Claim = Claim.UNREAD
    priority_class_missing: bool = False
    quotas: tuple[Quota, ...] = ()
    pods_missing_since: datetime | None = None
    """Since when the job has fewer pods than training needs; None if it has them, or needs none."""
    pods_refused: str | None = None
    """Why, as the job's last warning says; "" if there is none, None if it was not asked for."""
    report: ReceivedReport | None = None
    last_failure: Termination | None = None
    """The last failed worker, also when its pod is gone already."""
    watched_since: datetime | None = None
    """When this operator began to look."""

    @property
    def running(self) -> int:
        """Workers whose container runs."""
        return sum(pod.running for pod in self.pods)

    def condition(self, kind: ConditionType) -> Condition | None:
        """The condition as last written."""
        return next((c for c in self.status.conditions if c.type is kind), None)

    def is_true(self, kind: ConditionType) -> bool:
        """Whether the condition was last written as True."""
        return (known := self.condition(kind)) is not None and known.status == "True"

    @property
    def finished(self) -> bool:
        return self.is_true(ConditionType.SUCCEEDED) or self.is_true(ConditionType.FAILED)

    def pods_overdue(self, now: datetime) -> bool:
        """Whether the job's pods are missing for so long that somebody must be in their way."""
        since = self.pods_missing_since
        return since is not None and now - since >= PODS_PATIENCE

    def active_for(self, now: datetime) -> timedelta:
        """Time spent not suspended."""
        before = timedelta(seconds=self.status.active_seconds)
        since = self.status.active_since
        return before if since is None else before + max(now - since, timedelta())

    def terminations(self) -> Iterator[Termination]:
        """How workers ended, in the order in which they did."""
        ended = [pod.termination for pod in self.pods if pod.termination is not None]
        yield from sorted(ended, key=lambda t: t.at or datetime.max.replace(tzinfo=UTC))

    def failure(self, *exit_codes: int) -> Termination | None:
        """The first worker that ended with one of these codes; with any but 0 if none is given."""
        return next(
            (
                t
                for t in self.terminations()
                if t.exit_code in exit_codes or (not exit_codes and t.exit_code != 0)
            ),
            None,
        )

    def summary(self) -> Summary | None:
        """The summary in the termination message of whichever worker carries it."""
        return next(
            (t.message.summary for t in self.terminations() if t.message and t.message.summary),
            None,
        )


def parse_status(raw: Raw) -> Status:
    """The status as last written; an empty one where what stands there cannot be read."""
    try:
        return Status.model_validate(raw.get("status") or {})
    except ValidationError:
        return Status()


def _waiting(raw: Raw, status: Raw) -> Waiting | None:
    images = {
        _text(c, "name"): _text(c, "image")
        for c in (
            *_dicts(_dict(raw, "spec"), "initContainers"),
            *_dicts(_dict(raw, "spec"), "containers"),
        )
    }
    for container in (
        *_dicts(status, "initContainerStatuses"),
        *_dicts(status, "containerStatuses"),
    ):
        waiting = _dict(_dict(container, "state"), "waiting")
        if reason := _text(waiting, "reason"):
            name = _text(container, "name")
            image = images.get(name) or _text(container, "image")
            return Waiting(reason, _text(waiting, "message"), image)
    return None


def _unschedulable(status: Raw) -> Raw | None:
    """The condition by which the scheduler says that no node takes the pod."""
    return next(
        (
            c
            for c in _dicts(status, "conditions")
            if c.get("type") == "PodScheduled"
            and c.get("status") == "False"
            and c.get("reason") == "Unschedulable"
        ),
        None,
    )


def _termination(pod: str, terminated: Raw) -> Termination | None:
    if not terminated:
        return None
    text = _text(terminated, "message")
    try:
        message = TerminationMessage.model_validate_json(text) if text else None
    except ValidationError:
        message = None
    return Termination(
        pod=pod,
        exit_code=_number(terminated.get("exitCode")),
        reason=_text(terminated, "reason"),
        message=message,
        text="" if message else text,
        at=_time(terminated.get("finishedAt")),
    )


def _owner(meta: Raw) -> str:
    controllers = (o for o in _dicts(meta, "ownerReferences") if o.get("controller") is True)
    return _text(next(controllers, {}), "uid")


def _dict(raw: Raw, name: str) -> Raw:
    return value if isinstance(value := raw.get(name), Mapping) else {}


def _dicts(raw: Raw, name: str) -> list[Raw]:
    values = raw.get(name)
    # Not only a list: kopf wraps the lists of an object in a sequence of its own.
    if not isinstance(values, Iterable) or isinstance(values, (str, Mapping)):
        return []
    return [value for value in values if isinstance(value, Mapping)]


def _text(raw: Raw, name: str) -> str:
    return value if isinstance(value := raw.get(name), str) else ""


def _number(value: object) -> int:
    try:
        return int(value)  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError):
        return 0


def _time(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None

"""What the operator reports about a run. Written in one place, once for each reconcile."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from trainingrun_operator.api.conditions import ConditionType, Phase
from trainingrun_trainer.report import CheckpointRecord, Restart, Summary

Message = Annotated[str, StringConstraints(max_length=4096)]
Name = Annotated[str, StringConstraints(max_length=253)]
Word = Annotated[str, StringConstraints(max_length=128)]


class _Part(BaseModel):
    # Unknown fields are ignored: an older operator must be able to read a newer one's status.
    model_config = ConfigDict(
        extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True
    )


class Condition(_Part):
    """One condition, as metav1.Condition."""

    type: ConditionType = Field(description="What the condition is about.")
    status: Literal["True", "False", "Unknown"] = Field(description="Whether it holds.")
    reason: Word = Field(description="Why, as one CamelCase word.")
    message: Message = Field("", description="Why, in words, with the mend.")
    last_transition_time: datetime = Field(description="When status last changed.")
    observed_generation: int = Field(
        0, ge=0, description="The generation of the spec this speaks of."
    )


class Backend(_Part):
    """The object that carries the run out."""

    kind: Word = Field(description="Its kind: PyTorchJob.")
    name: Name = Field(description="Its name.")
    uid: Word = Field("", description="Its UID.")


class PlanChoice(_Part):
    """One thing the operator chose, and why."""

    name: Word = Field(description="What was chosen.")
    value: Word = Field(description="The choice.")
    reason: Message = Field(description="Why.")


class Progress(_Part):
    """Where training stands, as rank 0 last reported it."""

    step: int = Field(0, ge=0, description="Optimiser steps done.")
    total_steps: int = Field(0, ge=0, description="Optimiser steps to do.")
    steps: Word = Field("", description="step/totalSteps, for the column.")
    epoch: float | None = Field(None, description="Passes over the data.")
    loss: float | None = Field(None, description="Last logged training loss.")
    learning_rate: float | None = Field(None, description="Last logged learning rate.")
    samples_per_second: float | None = Field(None, description="Throughput of all ranks together.")
    tokens_per_second: float | None = Field(None, description="Throughput of all ranks together.")
    eta_seconds: int | None = Field(None, ge=0, description="Time left at the present speed.")
    eta: Word = Field("", description="etaSeconds in words, for the column.")
    updated_at: datetime | None = Field(None, description="When rank 0 reported this.")
    step_at: datetime | None = Field(None, description="When a new step was last reported.")


class Stall(_Part):
    """When the run last got nowhere."""

    step: int = Field(ge=0, description="The step it stood at.")
    at: datetime = Field(description="When its pods were given up.")


class WorkerCounts(_Part):
    """How many workers there are."""

    desired: int = Field(0, ge=0, description="Workers that are meant to train.")
    running: int = Field(0, ge=0, description="Workers whose container runs.")
    summary: Word = Field("", description="running/desired, for the column.")


class Restarts(_Part):
    """How often the run was interrupted, and how it came back."""

    total: int = Field(0, ge=0, description="Rank and pod restarts together.")
    ranks: int = Field(0, ge=0, description="Times the ranks were started again inside their pods.")
    pods: int = Field(0, ge=0, description="Pods made again.")
    pods_charged: int = Field(0, ge=0, description="Those that count against the budget.")
    pods_charged_at_step: int = Field(0, ge=0, description="Where training stood at the last one.")
    recent: tuple[Restart, ...] = Field((), max_length=16, description="The newest, oldest first.")


class Checkpoints(_Part):
    """The ledger of checkpoints."""

    last_good: int | None = Field(None, ge=0, description="Step of the newest verified checkpoint.")
    path: Annotated[str, StringConstraints(max_length=1024)] | None = Field(
        None, description="Its folder."
    )
    recent: tuple[CheckpointRecord, ...] = Field(
        (), max_length=16, description="The newest, oldest first."
    )


class Status(_Part):
    """Everything a user can see of a run."""

    conditions: tuple[Condition, ...] = Field(
        (),
        max_length=16,
        description="What holds, and why.",
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["type"],
        },
    )
    phase: Phase | None = Field(None, description="The conditions in one word.")
    message: Message = Field("", description="The deciding condition's message.")
    observed_generation: int = Field(
        0, ge=0, description="The generation of the spec this speaks of."
    )
    attempt: int = Field(0, ge=0, description="How often the run was retried after it had failed.")
    stall: Stall | None = Field(None, description="When the run last got nowhere.")
    backend: Backend | None = Field(None, description="The object that carries the run out.")
    plan: tuple[PlanChoice, ...] = Field(
        (), max_length=32, description="What was decided, and why."
    )
    progress: Progress | None = Field(None, description="Where training stands.")
    workers: WorkerCounts = Field(WorkerCounts(), description="How many workers there are.")
    pod_uids: tuple[Word, ...] = Field(
        (), max_length=1024, description="Pods already counted, so that a lost one counts once."
    )
    restarts: Restarts = Field(Restarts(), description="How often the run was interrupted.")
    checkpoints: Checkpoints = Field(Checkpoints(), description="The ledger of checkpoints.")
    evaluation: dict[Word, float] = Field(
        {}, max_length=64, description="Last evaluation, by metric."
    )
    summary: Summary | None = Field(None, description="How a run that succeeded went.")
    start_time: datetime | None = Field(None, description="When the run was first accepted.")
    completion_time: datetime | None = Field(None, description="When the run ended.")
    active_seconds: int = Field(0, ge=0, description="Time spent not suspended, up to activeSince.")
    active_since: datetime | None = Field(
        None, description="Start of the present unsuspended time."
    )

"""What a run tells the operator: progress while it trains, and one message when it ends.

The progress body is the wire format of Kubeflow Trainer's status endpoint (proposal 2779), which
Transformers' own `KubeflowCallback` speaks, plus a `trainingRun` block of ours. The last message is
rank 0's Kubernetes termination message. This module imports no training library.
"""

from __future__ import annotations

import json
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from trainingrun_trainer.rules import Group

TERMINATION_MESSAGE_BYTES = 4096
"""Kubernetes cuts a termination message at this length."""

Short = Annotated[str, StringConstraints(max_length=256)]
Text = Annotated[str, StringConstraints(max_length=1024)]
Path = Annotated[str, StringConstraints(max_length=1024)]


class Message(Group):
    """What one version sends and another may read: unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore")


class ExitCode(IntEnum):
    """How the launcher ends.

    The training operator's restart policy ExitCode reads the number: 1 to 127 fail the job for
    good, 128 and more have the pod made again. 192 and more cannot be mistaken for a signal.
    """

    SUCCEEDED = 0
    USER_ERROR = 64
    """The config, the data or the code is wrong: starting again would fail again."""
    RESTARTS_EXHAUSTED = 70
    """Ranks kept failing until the budget was spent."""
    PREEMPTED = 143
    """Asked to leave by SIGTERM, left in order (128 + 15)."""
    INFRASTRUCTURE = 200
    """Something outside the user's hands; worth another try."""


class Metric(Message):
    """One number by name, as text, as Kubeflow Trainer has it."""

    name: Short
    value: Short


class TrainerStatus(Message):
    """The block Kubeflow Trainer defines; `KubeflowCallback` sends only this."""

    progress_percentage: int | None = Field(None, ge=0, le=100)
    estimated_remaining_seconds: int | None = Field(None, ge=0)
    metrics: tuple[Metric, ...] = Field((), max_length=256)
    last_updated_time: datetime | None = None


class RestartCause(StrEnum):
    """Why the ranks were started again."""

    RANK_FAILED = "RankFailed"
    RANK_HUNG = "RankHung"
    WORKER_LOST = "WorkerLost"
    WORKERS_CHANGED = "WorkersChanged"
    PREEMPTED = "Preempted"


class Restart(Message):
    """One time the ranks were started again, as rank 0 knows it after its first step."""

    at: datetime = Field(
        description="When the ranks were ended; the last step known if no worker survived."
    )
    cause: RestartCause = Field(description="What ended them.")
    detail: Text = Field("", description="What ended them, in words.")
    rank: int | None = Field(None, ge=0, description="The rank that failed first, if one did.")
    from_step: int = Field(ge=0, description="The last step reported before.")
    resumed_step: int = Field(ge=0, description="The step of the checkpoint that was loaded.")
    lost_steps: int = Field(ge=0, description="Steps that had to be done again.")
    seconds_to_first_step: float | None = Field(
        None, ge=0, description="From the failure to the first step after it."
    )


class CheckpointRecord(Message):
    """A checkpoint whose manifest is written and verified, or one that was set aside."""

    step: int = Field(ge=0, description="Optimiser steps done when it was saved.")
    path: Path = Field(description="Its folder.")
    size_bytes: int = Field(ge=0, description="Its files together, in bytes.")
    world_size: int = Field(ge=1, description="Ranks that trained when it was saved.")
    verified: bool = Field(True, description="Whether its files are what its manifest says.")
    problem: Text | None = Field(None, description="Why it was set aside.")


class Finding(Message):
    """One thing the worker runs on: what was planned, and what is."""

    name: Short = Field(description="What was looked at.")
    planned: Short = Field(description="What was planned.")
    found: Short = Field(description="What is.")
    problem: Text = Field("", description="What is wrong, and the mend; empty if all is well.")


class TrainingRunBlock(Message):
    """What our trainer knows beyond Kubeflow's block."""

    step: int = Field(ge=0)
    total_steps: int = Field(ge=0)
    epoch: float | None = None
    loss: float | None = None
    learning_rate: float | None = None
    samples_per_second: float | None = None
    tokens_per_second: float | None = None
    world_size: int = Field(1, ge=1)
    attempt: int = Field(0, ge=0, description="How many times the ranks were started again.")
    restarts: tuple[Restart, ...] = Field((), max_length=32)
    checkpoints: tuple[CheckpointRecord, ...] = Field((), max_length=32)
    evaluation: dict[Short, float] = Field({}, max_length=64)
    stack: tuple[Finding, ...] = Field(
        (), max_length=64, description="Of rank 0 all, of the others what is wrong."
    )
    storage_problem: Text | None = Field(
        None, description="Why the last checkpoint could not be saved; absent if it was."
    )


class Report(Message):
    """The body of one progress post."""

    trainer_status: TrainerStatus
    training_run: TrainingRunBlock | None = None


class Summary(Message):
    """How a run that finished went."""

    steps: int = Field(ge=0, description="Optimiser steps done.")
    first_loss: float | None = Field(None, description="First logged training loss.")
    last_loss: float | None = Field(None, description="Last logged training loss.")
    evaluation: dict[Short, float] = Field(
        {}, max_length=64, description="Last evaluation, by metric."
    )
    first_evaluation: dict[Short, float] = Field(
        {}, max_length=64, description="First evaluation, by metric."
    )
    tokens_per_second: float | None = Field(None, description="Throughput of all ranks together.")
    samples_per_second: float | None = Field(None, description="Throughput of all ranks together.")
    wall_seconds: float | None = Field(None, ge=0, description="From start to end.")
    restarts: int = Field(0, ge=0, description="Times the ranks were started again.")
    checkpoint: Path | None = Field(None, description="The newest verified checkpoint.")
    model: Path | None = Field(None, description="The finished model.")


class Failure(Message):
    """Why a run ended, in words for a condition: what is wrong and what to write instead."""

    reason: Short = Field(description="CamelCase, as a condition's reason.")
    message: Annotated[str, StringConstraints(max_length=2048)]
    field: Short | None = Field(
        None, description="Path of the TrainingRun's field to change, if one is to blame."
    )
    rank: int | None = None
    retryable: bool = True


class TerminationMessage(Message):
    """What stands in /dev/termination-log when a worker's container ends; one of the two is set."""

    summary: Summary | None = None
    failure: Failure | None = None
    restarts: tuple[Restart, ...] = Field((), max_length=8)
    restart_count: int = Field(0, ge=0)

    def to_json(self) -> str:
        """At most 4096 bytes: older restarts are left out, then the failure's message is cut."""
        kept = self
        while len(text := kept._dump()) > TERMINATION_MESSAGE_BYTES and kept.restarts:
            kept = kept.model_copy(update={"restarts": kept.restarts[1:]})
        if len(text) > TERMINATION_MESSAGE_BYTES and kept.failure is not None:
            spare = TERMINATION_MESSAGE_BYTES - len(text) + len(kept.failure.message)
            cut = kept.failure.model_copy(
                update={"message": kept.failure.message[: max(spare, 0) // 4]}
            )
            text = kept.model_copy(update={"failure": cut})._dump()
        return text

    def _dump(self) -> str:
        # ASCII only, so that characters and bytes are the same number.
        return json.dumps(
            self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True),
            ensure_ascii=True,
            separators=(",", ":"),
        )

"""What the model is trained to do."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from trainingrun_trainer.rules import Group


class TaskType(StrEnum):
    """What the model is trained to do."""

    CAUSAL_LM = "causal-lm"


class Task(Group):
    """What the model is trained to do, and the settings of that task."""

    type: TaskType = Field(
        description="The task: causal-lm trains a model to predict the next token."
    )
    block_size: int = Field(
        256,
        ge=8,
        le=131072,
        description="Tokens in one training sample; texts are packed to this length.",
    )

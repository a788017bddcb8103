"""How the model is trained."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from trainingrun_trainer.config.arguments import Arguments
from trainingrun_trainer.config.optimizer import Optimizer
from trainingrun_trainer.config.schedule import Schedule
from trainingrun_trainer.rules import Group, Rule


class Precision(StrEnum):
    """The arithmetic of the forward and backward pass."""

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    MEASURE = "measure"


class Training(Group):
    """How the model is trained. The result does not depend on the number of workers."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="has(self.maxSteps) != has(self.epochs)",
            holds=lambda t: (t.max_steps is None) != (t.epochs is None),
            message="maxSteps and epochs exclude each other, and one is needed; "
            "give exactly one of them",
        ),
        Rule(
            cel="!has(self.perDeviceBatchSize) || "
            "self.globalBatchSize % self.perDeviceBatchSize == 0",
            holds=lambda t: (
                t.per_device_batch_size is None
                or t.global_batch_size % t.per_device_batch_size == 0
            ),
            message="globalBatchSize must be a multiple of perDeviceBatchSize; change one of them",
            field="perDeviceBatchSize",
        ),
    )

    global_batch_size: int = Field(
        32,
        ge=1,
        le=1048576,
        description="Samples in one optimiser step, whatever the number of workers.",
    )
    per_device_batch_size: int | None = Field(
        None,
        ge=1,
        le=65536,
        description="Samples in one forward pass of one rank; the largest fitting number up to 8 "
        "if absent.",
    )
    max_steps: int | None = Field(
        None, ge=1, le=1_000_000_000, description="Optimiser steps to train for."
    )
    epochs: int | None = Field(None, ge=1, le=100_000, description="Passes over the training data.")
    learning_rate: float = Field(5e-5, gt=0, le=10, description="Peak learning rate.")
    schedule: Schedule = Field(
        Schedule(), description="How the learning rate changes over the run."
    )
    optimizer: Optimizer = Field(Optimizer(), description="How the weights follow the gradients.")
    max_gradient_norm: float = Field(
        1.0, ge=0, le=1000, description="Clip gradients to this norm; 0 for never."
    )
    precision: Precision = Field(
        Precision.AUTO,
        description="auto: bfloat16 where the processors of all workers have AMX, else float32; "
        "measure: whichever a few passes of the model itself show to be faster, decided once.",
    )
    activation_checkpointing: bool = Field(
        False,
        description="Compute activations again in the backward pass instead of keeping them: "
        "less memory, about a third more time.",
    )
    deterministic: bool = Field(
        False,
        description="Use deterministic kernels only, and fail where there is none: the same "
        "number of ranks and threads then gives the same weights, bit by bit.",
    )
    seed: int = Field(42, ge=0, le=4294967295, description="Seeds weights, data order and dropout.")
    logging_steps: int = Field(
        10, ge=1, le=1_000_000, description="Log and report loss every so many steps."
    )
    arguments: Arguments = Field(
        Arguments(), description="Further settings of Transformers' TrainingArguments."
    )

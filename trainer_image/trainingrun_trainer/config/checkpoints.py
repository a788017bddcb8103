"""When the state of training is saved."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from pydantic import Field

from trainingrun_trainer.rules import Group

DEFAULT_EVERY_STEPS: Final = 200


class OnStorageFull(StrEnum):
    """What a run does when a checkpoint cannot be saved for lack of room or of the right."""

    CONTINUE = "Continue"
    STOP = "Stop"


class Checkpoints(Group):
    """When the state of training is saved, and how many saves are kept."""

    every_steps: int | None = Field(
        None,
        ge=1,
        le=1_000_000_000,
        description="Save every so many optimiser steps; "
        f"{DEFAULT_EVERY_STEPS} if everySeconds is absent as well.",
    )
    every_seconds: int | None = Field(
        None,
        ge=1,
        le=604_800,
        description="Save after the first step that ends so many seconds after the last save; "
        "beside everySteps, whichever comes first.",
    )
    keep: int = Field(
        3,
        ge=2,
        le=1000,
        description="Keep the newest so many; two at least, so that one is always whole.",
    )
    asynchronous: bool = Field(
        True,
        description="Write a copy of the state beside training, one checkpoint at a time. It takes "
        "memory of rank 0 for weights and optimiser once more; where that is not free, and if "
        "false, training waits for the writing.",
    )
    on_storage_full: OnStorageFull = Field(
        OnStorageFull.CONTINUE,
        description="When the storage is full or read-only: Continue trains on and says "
        "StorageFull until a later checkpoint is saved, Stop fails the run. The checkpoints "
        "before stay as they are.",
    )

    @property
    def step_interval(self) -> int | None:
        """Steps between saves; None if only time counts."""
        if self.every_steps is None and self.every_seconds is None:
            return DEFAULT_EVERY_STEPS
        return self.every_steps

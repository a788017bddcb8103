"""When the state of training is saved."""

from __future__ import annotations

from pydantic import Field

from trainingrun_trainer.rules import Group


class Checkpoints(Group):
    """When the state of training is saved, and how many saves are kept."""

    every_steps: int = Field(
        200, ge=1, le=1_000_000_000, description="Save every so many optimiser steps."
    )
    keep: int = Field(
        3,
        ge=2,
        le=1000,
        description="Keep the newest so many; two at least, so that one is always whole.",
    )

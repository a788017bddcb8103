"""When the held-out data is evaluated."""

from __future__ import annotations

from pydantic import Field

from trainingrun_trainer.rules import Group


class Evaluation(Group):
    """When the held-out data is evaluated. It always is at the end."""

    every_steps: int | None = Field(
        None, ge=1, le=1_000_000_000, description="Evaluate every so many optimiser steps as well."
    )
    at_start: bool = Field(
        False, description="Evaluate before the first step as well, for a baseline."
    )

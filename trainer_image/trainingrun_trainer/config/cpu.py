"""How each rank uses its share of the worker's CPUs, as the operator decided it."""

from __future__ import annotations

from pydantic import Field

from trainingrun_trainer.rules import Group


class Cpu(Group):
    """How each rank uses its share of the worker's CPUs."""

    threads: int = Field(1, ge=1, description="OpenMP threads of each rank.")

"""How the worker's CPUs are used: `spec.cpu`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trainingrun_trainer.rules import Group


class CpuSpec(Group):
    """How the worker's CPUs are used."""

    threads: Annotated[int, Field(ge=1, le=1024)] | Literal["auto"] = Field(
        "auto",
        description="OpenMP threads of each rank; auto: the worker's CPUs divided by its ranks, "
        "one at least.",
    )

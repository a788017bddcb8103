"""How each rank uses its share of the worker's CPUs, as the operator decided it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from pydantic import Field

from trainingrun_trainer.rules import Group


class Allocator(StrEnum):
    """What gives memory to tensors."""

    AUTO = "auto"
    TCMALLOC = "tcmalloc"
    JEMALLOC = "jemalloc"
    SYSTEM = "system"


class OpenMP(StrEnum):
    """What runs the threads of one operator."""

    AUTO = "auto"
    INTEL = "intel"
    GNU = "gnu"


class Affinity(StrEnum):
    """Whether threads stay on the CPU they are on."""

    AUTO = "auto"
    NONE = "none"
    RANKS = "ranks"
    THREADS = "threads"


class HugePages(StrEnum):
    """In what pages the memory of large tensors comes."""

    OFF = "Off"
    TRANSPARENT = "Transparent"
    """The kernel is asked for pages of 2 MiB, and gives what it has: nothing is reserved."""


class Ipex(StrEnum):
    """What Intel Extension for PyTorch does to the model and its optimizer."""

    OFF = "off"
    FLOAT32 = "float32"
    """Weights stay float32; with training in bfloat16, autocast does the arithmetic.

    Its own bfloat16, in which weights are split into halves, is left out: a model trained so came
    to a loss of 5.66 in place of 5.01, with no error (docs/benchmarks.md)."""


DEFAULT_ALLOCATOR: Final = Allocator.TCMALLOC
"""What auto asks for; the system's where the image declares none. Figures: docs/benchmarks.md."""


class Cpu(Group):
    """How each rank uses its share of the worker's CPUs."""

    limit: float | None = Field(
        None, gt=0, description="CPUs of the worker together; none on a machine without a limit."
    )
    threads: int = Field(1, ge=1, description="OpenMP threads of each rank.")
    interop_threads: int = Field(
        1, ge=1, description="Threads of each rank for operators that run side by side."
    )
    data_loader_workers: int = Field(
        0, ge=0, description="Processes of each rank that prepare batches; 0: the rank itself."
    )
    allocator: Allocator = Field(Allocator.AUTO, description="The allocator to preload.")
    openmp: OpenMP = Field(OpenMP.AUTO, description="The OpenMP runtime to preload.")
    affinity: Affinity = Field(
        Affinity.AUTO,
        description="auto: ranks where the worker's CPUs are its own, else none.",
    )
    huge_pages: HugePages = Field(
        HugePages.OFF, description="The pages that large tensors are asked for in."
    )
    allow_oversubscription: bool = Field(
        False, description="More threads than CPUs were asked for, and are meant."
    )
    ipex: Ipex = Field(Ipex.OFF, description="What IPEX does to the model and its optimizer.")

"""How the worker's CPUs are used: `spec.cpu`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from trainingrun_trainer.config import Affinity, Allocator, HugePages, OpenMP
from trainingrun_trainer.rules import Group, Rule


class CpuSpec(Group):
    """How the worker's CPUs are used."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.blockTimeMilliseconds) || self.openmp == 'intel'",
            holds=lambda c: c.block_time_milliseconds is None or c.openmp is OpenMP.INTEL,
            message="only Intel's OpenMP has a block time; remove it, or write openmp: intel",
            field="blockTimeMilliseconds",
        ),
        Rule(
            cel="!has(self.sockets) || !has(self.numaNodes) || self.numaNodes % self.sockets == 0",
            holds=lambda c: (
                c.sockets is None or c.numa_nodes is None or c.numa_nodes % c.sockets == 0
            ),
            message="every socket has equally many NUMA nodes; "
            "write a multiple of sockets, or remove one of the two",
            field="numaNodes",
        ),
    )

    threads: Annotated[int, Field(ge=1, le=1024)] | Literal["auto"] = Field(
        "auto",
        description="OpenMP threads of each rank; auto: the worker's CPUs divided by its ranks, "
        "one at least.",
    )
    interop_threads: Annotated[int, Field(ge=1, le=1024)] | Literal["auto"] = Field(
        "auto",
        description="Threads of each rank for operators that run side by side; auto: one.",
    )
    data_loader_workers: Annotated[int, Field(ge=0, le=64)] | Literal["auto"] = Field(
        "auto",
        description="Processes of each rank that prepare batches, at the cost of a thread each; "
        "auto: none, the rank prepares them itself.",
    )
    sockets: int | None = Field(
        None, ge=1, le=16, description="Sockets that the CPUs of one worker lie on, if known."
    )
    numa_nodes: int | None = Field(
        None, ge=1, le=64, description="NUMA nodes that the CPUs of one worker lie on, if known."
    )
    threads_per_core: int | None = Field(
        None,
        ge=1,
        le=8,
        description="CPUs that are one core, 2 with hyper-threading; without it each CPU counts "
        "as a core.",
    )
    allocator: Allocator = Field(
        Allocator.AUTO,
        description="The memory allocator to preload, or the system's; auto: tcmalloc where the "
        "image has it.",
    )
    openmp: OpenMP = Field(
        OpenMP.AUTO, description="The OpenMP runtime to preload; auto: the one torch was built for."
    )
    block_time_milliseconds: int | None = Field(
        None,
        ge=0,
        le=60_000,
        description="How long a thread of Intel's OpenMP spins before it sleeps; 1 if absent.",
    )
    affinity: Affinity = Field(
        Affinity.AUTO,
        description="ranks: each rank keeps to CPUs of its own; threads: each of its threads to "
        "one of them as well; auto: ranks where the worker's CPUs are its own (the kubelet's "
        "static CPU manager), else none.",
    )
    huge_pages: HugePages = Field(
        HugePages.OFF,
        description="Transparent: torch asks the kernel for pages of 2 MiB for large tensors; the "
        "node must not have switched them off.",
    )
    ipex: Literal["auto", "off", "float32"] = Field(
        "auto",
        description="What Intel's extension of runtime xeon does to the model and its optimizer. "
        "float32: what it has for weights in float32; auto: nothing.",
    )
    allow_oversubscription: bool = Field(
        False, description="Permit more ranks, threads and data-loader workers than CPUs."
    )

"""What was planned held against what is: an ordered table of pure checks.

Each check says what it found and whether that is as planned; what is not says what follows from it
and what to change.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trainingrun_trainer.config import (
    DEFAULT_ALLOCATOR,
    Allocator,
    HugePages,
    LaunchConfig,
    OpenMP,
    Precision,
    RunConfig,
)
from trainingrun_trainer.report import Finding
from trainingrun_trainer.stack.machine import Machine

FAST_BFLOAT16: Final = frozenset({"amx_bf16", "avx512_bf16"})
SHOWN_FLAGS: Final = ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_tile", "amx_bf16")
_LIBRARIES: Final = {
    Allocator.TCMALLOC: "libtcmalloc",
    Allocator.JEMALLOC: "libjemalloc",
    OpenMP.INTEL: "libiomp5",
    OpenMP.GNU: "libgomp",
}
_ALLOCATORS: Final = (Allocator.TCMALLOC, Allocator.JEMALLOC)
_OPENMPS: Final = (OpenMP.INTEL, OpenMP.GNU)


@dataclass(frozen=True)
class Rank:
    """What one rank found out about itself."""

    backend: str
    threads: int
    """That torch says it uses."""
    started_threads: int
    """That were there when torch had computed something: those of OpenMP, the rank's own one
    included."""
    interop_threads: int
    mapped: frozenset[str]
    precision: Precision
    """What it will train in; `measure` until it has measured."""
    backend_reason: str = ""
    """Why the backend is not the planned one, where the ranks agreed on another."""


Check = Callable[[RunConfig, Machine, Rank], Finding]


def cpus(config: RunConfig, machine: Machine, _rank: Rank) -> Finding:
    limit = config.cpu.limit
    quota = "no quota" if machine.quota is None else f"quota {machine.quota:g}"
    found = f"{quota}, {len(machine.cpus)} CPUs visible"
    if limit is None or machine.capacity >= min(limit, 1 if limit < 1 else math.floor(limit)):
        return Finding(name="cpus", planned=_or_none(limit), found=found)
    return Finding(
        name="cpus",
        planned=_or_none(limit),
        found=found,
        problem=f"the worker has {machine.capacity:g} CPUs and not {limit:g}: each rank uses "
        f"{threads_that_fit(config, machine)} threads; restart the pods if spec.workers.resources "
        "was changed beside the operator",
    )


def threads(config: RunConfig, machine: Machine, rank: Rank) -> Finding:
    planned = threads_that_fit(config, machine)
    found = f"torch {rank.threads}, running {rank.started_threads}"
    problem = ""
    if rank.threads != planned or rank.started_threads > max(planned, 1):
        problem = (
            f"a rank was to use {planned} threads; remove variables that set threads from "
            "spec.workers.env and the image"
        )
    return Finding(name="threads", planned=str(config.cpu.threads), found=found, problem=problem)


def interop_threads(config: RunConfig, _machine: Machine, rank: Rank) -> Finding:
    planned, found = config.cpu.interop_threads, rank.interop_threads
    problem = "" if planned == found else "torch had started them before it was told how many"
    return Finding(name="interopThreads", planned=str(planned), found=str(found), problem=problem)


def allocator(config: RunConfig, _machine: Machine, rank: Rank) -> Finding:
    asked = config.cpu.allocator
    there = [name for name in _ALLOCATORS if _mapped(rank, name)]
    found = there[0] if there else Allocator.SYSTEM
    holds = found is asked or asked is Allocator.AUTO
    planned = DEFAULT_ALLOCATOR if asked is Allocator.AUTO and there else asked
    return Finding(
        name="allocator",
        planned=planned.value,
        found=found.value,
        problem=""
        if holds
        else f"{found} is loaded: remove LD_PRELOAD from the image, or "
        f"write spec.cpu.allocator: {found}",
    )


def openmp(config: RunConfig, _machine: Machine, rank: Rank) -> Finding:
    asked = config.cpu.openmp
    there = [name for name in _OPENMPS if _mapped(rank, name)]
    # Torch needs GNU's file in any case; where Intel's came first, its functions are used.
    found = there[0].value if there else "none"
    holds = asked is OpenMP.AUTO or asked.value == found
    return Finding(
        name="openmp",
        planned=asked.value,
        found=found,
        problem=""
        if holds
        else f"{found} is in use: remove LD_PRELOAD from the image, or write "
        f"spec.cpu.openmp: {found}",
    )


def precision(config: RunConfig, machine: Machine, rank: Rank) -> Finding:
    slow = rank.precision is Precision.BFLOAT16 and not FAST_BFLOAT16 & machine.flags
    abilities = " ".join(flag for flag in SHOWN_FLAGS if flag in machine.flags) or "unknown"
    return Finding(
        name="precision",
        planned=config.training.precision.value,
        found=f"{rank.precision} on {abilities}",
        problem="this processor has neither amx_bf16 nor avx512_bf16 and emulates bfloat16; write "
        "spec.training.precision: auto, or choose nodes that have it"
        if slow
        else "",
    )


def shared_memory(config: RunConfig, machine: Machine, _rank: Rank) -> Finding:
    planned, found = config.shared_memory_bytes, machine.shared_memory_bytes
    problem = ""
    if planned is not None and (found or 0) < planned:
        problem = (
            "the node gives less shared memory than spec.sharedMemory.size; look for a mount over "
            "/dev/shm in the image, or for an admission webhook that changes the pod's volumes"
        )
    return Finding(
        name="sharedMemory", planned=_mebibytes(planned), found=_mebibytes(found), problem=problem
    )


def huge_pages(config: RunConfig, machine: Machine, _rank: Rank) -> Finding:
    asked = config.cpu.huge_pages
    problem = ""
    if asked is HugePages.TRANSPARENT and machine.huge_pages == "never":
        problem = (
            "the node has switched transparent huge pages off; choose nodes that have them, or "
            "write spec.cpu.hugePages: Off"
        )
    found = f"the kernel's setting is {machine.huge_pages or 'unknown'}"
    return Finding(name="hugePages", planned=asked.value, found=found, problem=problem)


def backend(config: RunConfig, _machine: Machine, rank: Rank) -> Finding:
    planned = config.communication.backend
    problem = ""
    if planned != rank.backend:
        problem = rank.backend_reason or "the process group was made with another backend"
    return Finding(name="backend", planned=planned, found=rank.backend, problem=problem)


CHECKS: Final[tuple[Check, ...]] = (
    cpus,
    threads,
    interop_threads,
    allocator,
    openmp,
    precision,
    shared_memory,
    huge_pages,
    backend,
)


def findings(config: RunConfig, machine: Machine, rank: Rank) -> tuple[Finding, ...]:
    """What every check found, in the order of the table."""
    return tuple(check(config, machine, rank) for check in CHECKS)


def threads_that_fit(config: LaunchConfig, machine: Machine) -> int:
    """Threads of each rank: as planned, or fewer where the worker has fewer CPUs than planned."""
    planned, limit = config.cpu.threads, config.cpu.limit
    if limit is None or config.cpu.allow_oversubscription or machine.capacity >= math.floor(limit):
        return planned
    return max(min(planned, int(machine.capacity / config.processes.per_worker)), 1)


def _mapped(rank: Rank, library: Allocator | OpenMP) -> bool:
    return any(Path(path).name.startswith(_LIBRARIES[library]) for path in rank.mapped)


def _or_none(limit: float | None) -> str:
    return "no limit" if limit is None else f"{limit:g}"


def _mebibytes(size: int | None) -> str:
    return "none" if size is None else f"{size / 2**20:.0f} MiB"

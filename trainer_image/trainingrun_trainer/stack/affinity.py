"""Which CPUs each rank of a worker keeps to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from trainingrun_trainer.config import Affinity, Cpu, OpenMP
from trainingrun_trainer.stack.machine import LogicalCpu

VARIABLE: Final = "TRAININGRUN_RANK_CPUS"
"""The CPUs of each rank of a worker, ranks parted by ";": set by the launcher for its ranks."""

INTELS: Final = "granularity=fine,compact,1,0"
"""A thread to a core in order, within the CPUs that the rank keeps to: Intel's own advice for
torch, https://docs.pytorch.org/tutorials/recipes/recipes/tuning_guide.html"""


@dataclass(frozen=True)
class Binding:
    """CPUs of each rank, none where they are not bound, and what OpenMP is told."""

    ranks: tuple[tuple[int, ...], ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)


def binding(cpu: Cpu, ranks: int, cpus: Sequence[LogicalCpu]) -> Binding:
    """The CPUs of each rank: equal shares of neighbouring cores, never halves of one.

    `auto` binds only where the worker may use exactly the CPUs it has paid for: on CPUs that all
    pods of a node share, two workers would be bound to the same ones.
    """
    own = cpu.limit is not None and len(cpus) == cpu.limit
    if cpu.affinity is Affinity.NONE or (cpu.affinity is Affinity.AUTO and not own):
        return Binding()
    shares = _shares(cpus, ranks)
    if not shares:
        return Binding()
    named = {VARIABLE: ";".join(map(listed, shares))}
    if cpu.affinity is Affinity.THREADS:
        if cpu.openmp is OpenMP.INTEL:
            named["KMP_AFFINITY"] = INTELS
        elif ranks == 1:
            named["GOMP_CPU_AFFINITY"] = listed(shares[0])
    return Binding(shares, named)


def listed(cpus: Iterable[int]) -> str:
    """Numbers with commas between them."""
    return ",".join(map(str, cpus))


def cpus_of(local_rank: int, env: Mapping[str, str]) -> tuple[int, ...]:
    """The CPUs that a rank keeps to; none if it is not bound."""
    shares = env.get(VARIABLE, "")
    return tuple(map(int, shares.split(";")[local_rank].split(","))) if shares else ()


def _shares(cpus: Sequence[LogicalCpu], ranks: int) -> tuple[tuple[int, ...], ...]:
    ordered = sorted(cpus, key=lambda cpu: (cpu.package, cpu.core, cpu.number))
    cores = [
        [cpu.number for cpu in group]
        for _, group in groupby(ordered, key=lambda cpu: (cpu.package, cpu.core))
    ]
    each = len(cores) // ranks
    if not each:
        return ()
    return tuple(
        _first_of_each_core_first(cores[rank * each : (rank + 1) * each]) for rank in range(ranks)
    )


def _first_of_each_core_first(cores: Sequence[Sequence[int]]) -> tuple[int, ...]:
    width = max(map(len, cores))
    return tuple(core[n] for n in range(width) for core in cores if n < len(core))

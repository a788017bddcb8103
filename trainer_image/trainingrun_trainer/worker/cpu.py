"""The rank's share of the processor: its CPUs and its threads."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch

from trainingrun_trainer.config import LaunchConfig
from trainingrun_trainer.stack.affinity import cpus_of
from trainingrun_trainer.stack.checks import threads_that_fit
from trainingrun_trainer.stack.machine import Machine

ENOUGH_FOR_ALL_THREADS: Final = 2**20
"""Elements: torch parts an operator on so many among all of its threads."""


@dataclass(frozen=True)
class Footing:
    """What this rank stands on: the worker's machine, and the threads that run for the rank."""

    machine: Machine
    started_threads: int
    """After all of OpenMP's were needed once; the rank's own included."""


def take(config: LaunchConfig, local_rank: int) -> Footing:
    """Gives this rank its CPUs and threads, before it has started any."""
    machine = Machine.read(os.environ)
    if cpus := cpus_of(local_rank, os.environ):
        os.sched_setaffinity(0, cpus)
    torch.set_num_threads(threads_that_fit(config, machine))
    torch.set_num_interop_threads(config.cpu.interop_threads)
    before = _running()
    torch.ones(ENOUGH_FOR_ALL_THREADS).add_(1)
    return Footing(machine, _running() - before + 1)


def _running() -> int:
    return len(list(Path("/proc/self/task").iterdir()))

"""The rank's share of the processor: threads, and the arithmetic that is fast on it."""

from __future__ import annotations

from pathlib import Path

import torch

from trainingrun_trainer.config import Cpu, Precision


def apply(cpu: Cpu) -> None:
    """Sets the threads of this rank's operators."""
    torch.set_num_threads(cpu.threads)


def bfloat16_wanted(precision: Precision, cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether to train in bfloat16.

    `auto` asks for AMX: with AVX-512 alone a training step was measured 1.4 times slower in
    bfloat16 than in float32.
    """
    if precision is Precision.AUTO:
        return has_amx(cpuinfo)
    return precision is Precision.BFLOAT16


def has_amx(cpuinfo: Path) -> bool:
    """Whether the processor multiplies bfloat16 matrices in hardware tiles."""
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return False
    flags = next((line for line in lines if line.startswith("flags")), "")
    return "amx_bf16" in flags.split()

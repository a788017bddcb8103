"""The arithmetic of the forward and backward pass: the same on all ranks, and in all rounds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Final

import torch
from transformers import PreTrainedModel

from trainingrun_trainer.config import Precision
from trainingrun_trainer.stack.machine import Machine
from trainingrun_trainer.worker.distributed import Group
from trainingrun_trainer.worker.progress import Account

AMX: Final = "amx_bf16"
"""`auto` asks for it: with AVX-512 alone a training step was measured 1.4 times slower in bfloat16
than in float32."""
PASSES: Final = 5
"""Of each arithmetic, after one that is not counted."""


def chosen(asked: Precision, group: Group, machine: Machine) -> Precision:
    """What all ranks train in, as far as it is known before the model is there; a collective."""
    if asked is not Precision.AUTO:
        return asked
    return Precision.BFLOAT16 if group.everyone(AMX in machine.flags) else Precision.FLOAT32


def settled(
    known: Precision,
    group: Group,
    account: Account | None,
    model: PreTrainedModel,
    first_pass: Callable[[], Callable[[], torch.Tensor]],
) -> Precision:
    """What all ranks train in, measured by rank 0 if it must be, once for the run; a collective.

    The account is rank 0's; `first_pass` gives what computes the
    loss of one pass of training.
    """
    if known is not Precision.MEASURE:
        return known

    def measure() -> str:
        if account is None:
            raise TypeError("only rank 0 keeps an account")
        if account.state.precision is None:
            account.measured(*measured(model, first_pass()))
        return str(account.state.precision)

    return Precision(group.from_leader("precision", measure))


def measured(
    model: PreTrainedModel,
    one_pass: Callable[[], torch.Tensor],
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[Precision, str]:
    """The faster one for this model on this machine, and the figures in words.

    Passes forward and backward; weights, gradients and random numbers are as before.
    """
    training, random = model.training, torch.get_rng_state()
    model.train()
    seconds = {
        precision: _seconds(one_pass, precision, clock)
        for precision in (Precision.FLOAT32, Precision.BFLOAT16)
    }
    model.zero_grad(set_to_none=True)
    model.train(training)
    torch.set_rng_state(random)
    fastest = min(seconds, key=lambda precision: seconds[precision])
    return fastest, ", ".join(f"{name} {1000 * s:.1f} ms a pass" for name, s in seconds.items())


def _seconds(
    one_pass: Callable[[], torch.Tensor],
    precision: Precision,
    clock: Callable[[], float],
) -> float:
    taken = []
    for _ in range(PASSES + 1):
        begin = clock()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision is Precision.BFLOAT16):
            loss = one_pass()
        torch.autograd.backward(loss)
        taken.append(clock() - begin)
    return statistics.median(taken[1:])

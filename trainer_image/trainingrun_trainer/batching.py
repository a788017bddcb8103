"""The arithmetic that keeps an optimiser step the same whatever the number of ranks."""

from __future__ import annotations

from dataclasses import dataclass

LARGEST_AUTOMATIC_BATCH = 8
"""Samples in one forward pass when the user names no number: enough for a core's vector units."""


class IndivisibleBatchError(ValueError):
    """No accumulation gives the global batch at this world size."""


@dataclass(frozen=True)
class Batching:
    """How one optimiser step of one rank is made: `accumulation` passes of `per_device` samples."""

    per_device: int
    accumulation: int


def batching(global_batch: int, world_size: int, per_device: int | None = None) -> Batching:
    """Accumulation = global batch / (samples per pass x world size), exactly.

    Raises:
        IndivisibleBatchError: it does not come out whole; the message names the sizes that do.
    """
    if per_device is None:
        share, rest = divmod(global_batch, world_size)
        if rest:
            raise _indivisible(global_batch, world_size, 1)
        per_device = next(
            n for n in range(min(share, LARGEST_AUTOMATIC_BATCH), 0, -1) if share % n == 0
        )
    accumulation, rest = divmod(global_batch, per_device * world_size)
    if rest or not accumulation:
        raise _indivisible(global_batch, world_size, per_device)
    return Batching(per_device, accumulation)


def fitting_world_sizes(
    global_batch: int, largest: int, per_device: int | None = None
) -> tuple[int, ...]:
    """The world sizes from 1 to `largest` that give the global batch exactly."""
    share = global_batch // (per_device or 1)
    return tuple(n for n in range(1, largest + 1) if share % n == 0)


def _indivisible(global_batch: int, world_size: int, per_device: int) -> IndivisibleBatchError:
    sizes = ", ".join(
        map(str, fitting_world_sizes(global_batch, global_batch // per_device, per_device))
    )
    return IndivisibleBatchError(
        f"a global batch of {global_batch} in passes of {per_device} cannot be made by "
        f"{world_size} ranks; numbers of ranks that can: {sizes}"
    )

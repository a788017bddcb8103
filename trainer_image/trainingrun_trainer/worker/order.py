"""Which sample comes when: a function of seed and position, whatever the number of ranks.

Sample number n of a run is the same for every world size, batch size and restart: so a step always
consumes the same global batch, and resuming is nothing but starting at a later position.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.utils.data import Dataset


class OrderedSamples(Dataset[dict[str, torch.Tensor]]):
    """All samples of a run in the order in which they are consumed, `length` of them.

    Each pass over the data is a permutation of its own. `vary` makes of a sample what is seen of
    it at a position of the run; it must hang on nothing else.
    """

    def __init__(
        self,
        samples: Sequence[Any],
        seed: int,
        length: int,
        vary: Callable[[Any, int], Any] = lambda sample, _: sample,
    ) -> None:
        self._samples = samples
        self._seed = seed
        self._length = length
        self._vary = vary
        self._epoch = -1
        self._permutation = torch.empty(0)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, position: int) -> dict[str, torch.Tensor]:
        sample: dict[str, torch.Tensor] = self._vary(self._samples[self.index(position)], position)
        return sample

    def index(self, position: int) -> int:
        """The index in the data of the sample at a position of the run."""
        epoch, place = divmod(position, len(self._samples))
        if epoch != self._epoch:
            generator = torch.Generator().manual_seed(self._seed + epoch)
            self._permutation = torch.randperm(len(self._samples), generator=generator)
            self._epoch = epoch
        return int(self._permutation[place])


def total_steps(samples: int, global_batch: int, max_steps: int | None, epochs: int | None) -> int:
    """Optimiser steps of the whole run; at least one."""
    if max_steps is not None:
        return max_steps
    return max(1, samples * (epochs or 1) // global_batch)

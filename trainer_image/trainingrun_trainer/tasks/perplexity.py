"""Perplexity over held-out tokens: every token but the first is predicted exactly once.

Windows are numbered over the whole text and dealt to ranks by number, so that nothing is padded,
repeated or averaged over averages, and the result does not depend on the number of ranks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from trainingrun_trainer.tasks.token_cache import TokenIds


@dataclass(frozen=True)
class Window:
    """Tokens from `start` on are the input; each one's successor, up to `end`, is predicted."""

    start: int
    end: int


def windows(tokens: int, size: int) -> list[Window]:
    """Windows of `size` predictions over a text of `tokens`; the last may be shorter."""
    return [Window(start, min(start + size, tokens - 1)) for start in range(0, tokens - 1, size)]


def share(all_windows: Sequence[Window], rank: int, world_size: int) -> Sequence[Window]:
    """The windows of one rank."""
    return all_windows[rank::world_size]


@torch.no_grad()
def negative_log_likelihood(
    model: torch.nn.Module, ids: TokenIds, own: Sequence[Window], batch: int
) -> tuple[float, int]:
    """The sum over the windows' predictions in nats, and the number of predictions."""
    total, count = 0.0, 0
    was_training = model.training
    model.eval()
    for group in _alike(own, batch):
        rows = np.stack([ids[w.start : w.end + 1] for w in group]).astype(np.int64)
        tokens = torch.from_numpy(rows)
        logits = model(input_ids=tokens[:, :-1]).logits
        losses = functional.cross_entropy(
            logits.flatten(0, 1).float(), tokens[:, 1:].flatten(), reduction="none"
        )
        total += float(losses.double().sum())
        count += losses.numel()
    model.train(was_training)
    return total, count


def metrics(total: float, count: int, sums: Callable[..., list[float]]) -> dict[str, float]:
    """Loss, perplexity and number of predictions over all ranks' parts; `sums` adds them up."""
    all_total, all_count = sums(total, float(count))
    loss = all_total / all_count
    perplexity = math.exp(loss) if loss < 700 else math.inf
    return {"loss": loss, "perplexity": perplexity, "tokens": all_count}


def _alike(own: Sequence[Window], batch: int) -> Iterator[list[Window]]:
    """Windows of one length together, at most `batch`; only the text's last one differs."""
    group: list[Window] = []
    for window in own:
        if group and (len(group) == batch or _length(group[0]) != _length(window)):
            yield group
            group = []
        group.append(window)
    if group:
        yield group


def _length(window: Window) -> int:
    return window.end - window.start

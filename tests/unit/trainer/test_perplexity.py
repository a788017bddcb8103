"""Perplexity over held-out tokens."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from trainingrun_trainer.tasks import perplexity
from trainingrun_trainer.tasks.perplexity import Window


class Bigram(torch.nn.Module):
    """Predicts from the last token alone, so that windows cannot change the result."""

    def __init__(self) -> None:
        super().__init__()
        self.table = torch.nn.Parameter(torch.randn(7, 7, generator=torch.manual_seed(0)))

    def forward(self, input_ids: torch.Tensor) -> SimpleNamespace:
        return SimpleNamespace(logits=self.table[input_ids])


IDS = np.array([n * n % 7 for n in range(50)], dtype=np.uint16)


def part(rank: int, world_size: int, size: int = 8) -> tuple[float, int]:
    own = perplexity.share(perplexity.windows(len(IDS), size), rank, world_size)
    return perplexity.negative_log_likelihood(Bigram(), IDS, own, batch=4)


def test_every_token_but_the_first_is_predicted_once() -> None:
    assert part(0, 1)[1] == len(IDS) - 1


def test_the_last_window_is_as_short_as_the_text() -> None:
    assert perplexity.windows(10, 4)[-1] == Window(8, 9)


def test_a_text_of_one_token_has_no_windows() -> None:
    assert perplexity.windows(1, 4) == []


@pytest.mark.parametrize("world_size", [2, 3, 5])
def test_ranks_together_give_what_one_gives_alone(world_size: int) -> None:
    parts = [part(rank, world_size) for rank in range(world_size)]
    total, count = (sum(numbers) for numbers in zip(*parts, strict=True))
    assert (total, count) == (pytest.approx(part(0, 1)[0]), len(IDS) - 1)


def test_the_size_of_windows_does_not_weight_tokens() -> None:
    assert part(0, 1, size=8)[0] == pytest.approx(part(0, 1, size=49)[0])


def test_perplexity_is_the_exponential_of_the_mean_over_tokens() -> None:
    metrics = perplexity.metrics(math.log(5) * 10, 10, sums=lambda *values: list(values))
    assert metrics["perplexity"] == pytest.approx(5)

"""Losses as sums. Trainer divides them by the number of labels in the whole global batch, so that
a step weighs each label the same, however its batch is cut into passes and ranks; a mean over each
pass, as the models' own losses are, weighs a label by the company it happens to be in."""

from __future__ import annotations

from typing import Any, Final

import torch
from torch.nn import functional

IGNORED: Final = -100
"""The label of what is not learnt."""


def of_classes(logits: torch.Tensor, labels: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
    """Cross entropy in nats; logits (..., classes), labels (...) int64."""
    return functional.cross_entropy(
        logits.flatten(0, -2).float(),
        labels.flatten(),
        ignore_index=IGNORED,
        reduction="sum",
        label_smoothing=smoothing,
    )


def of_next_tokens(
    logits: torch.Tensor, labels: torch.Tensor, smoothing: float = 0.0
) -> torch.Tensor:
    """As `of_classes`, where position n predicts label n + 1."""
    return of_classes(logits[:, :-1], labels[:, 1:], smoothing)


def of_spans(outputs: Any, labels: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
    """Cross entropy of first and last token; labels (batch, 2)."""
    logits = torch.stack((outputs.start_logits, outputs.end_logits), dim=1)
    return of_classes(logits, labels, smoothing)


def count(labels: torch.Tensor) -> int:
    """Labels that are learnt."""
    return int(labels.ne(IGNORED).sum())

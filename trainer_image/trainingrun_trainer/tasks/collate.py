"""Samples of one fixed length as a batch that is no longer than its longest text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch

Batch = dict[str, torch.Tensor]

TOKENS: Final = ("input_ids", "attention_mask", "token_type_ids")
"""What tokenizers give, one entry for each token."""
_STEP: Final = 8
"""Lengths are rounded up to this, which vector units like; padding changes no result."""


def stacked(samples: Sequence[Batch]) -> Batch:
    """The samples one upon another."""
    return {name: torch.stack([sample[name] for sample in samples]) for name in samples[0]}


def unvaried(sample: Batch, _position: int) -> Batch:
    """The sample, the same wherever in the run it comes."""
    return sample


def trimmed(samples: Sequence[Batch], aligned: Sequence[str]) -> Batch:
    """The samples one upon another, without the columns in which all of them are padded on the
    right. `aligned` are the arrays with an entry for each token of the input."""
    batch = stacked(samples)
    mask = batch["attention_mask"]
    longest = int(mask.sum(dim=1).max())
    length = min(-(-longest // _STEP) * _STEP, mask.shape[1])
    return {
        name: tensor[:, :length] if name in aligned else tensor for name, tensor in batch.items()
    }


def for_model(batch: Batch) -> Batch:
    """What of a batch a model takes, and the labels."""
    return {name: batch[name] for name in (*TOKENS, "labels") if name in batch}

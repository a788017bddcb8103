"""Masked language modelling: predict the tokens of packed text that are hidden."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import torch
from transformers import (
    AutoModelForMaskedLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from trainingrun_trainer.config import RunConfig
from trainingrun_trainer.tasks import losses, models
from trainingrun_trainer.tasks.collate import Batch, stacked
from trainingrun_trainer.tasks.data.samples import batches
from trainingrun_trainer.tasks.packed import packed
from trainingrun_trainer.tasks.token_cache import Blocks
from trainingrun_trainer.worker.distributed import Group

_EVALUATION_BATCH: Final = 16
_MASK_PROBABILITY: Final = 0.15
_SHOWN_AS_MASK: Final = 0.8
_SHOWN_AS_ANOTHER: Final = 0.1
"""Of the tokens to predict; the rest is shown as it is. The shares of BERT's paper (Devlin et al.,
2018, section 3.1)."""


@dataclass(frozen=True)
class Masking:
    """Hides tokens of samples. Which ones hangs on the draw alone, so that a resumed run hides the
    same: even draws are for training, odd ones for evaluation."""

    seed: int
    probability: float
    special: tuple[int, ...]
    mask: int
    vocabulary: int

    def __call__(self, sample: Batch, position: int) -> Batch:
        """A sample with other tokens hidden at each position of the run."""
        return self.hidden(sample["input_ids"], 2 * position)

    def hidden(self, tokens: torch.Tensor, draw: int) -> Batch:
        """The tokens with some hidden at random, and these as labels."""
        generator = torch.Generator().manual_seed((self.seed << 31) + draw)
        chance, kind, other = (torch.rand(len(tokens), generator=generator) for _ in range(3))
        chance[torch.isin(tokens, torch.tensor(self.special))] = 1.0
        hidden = chance < self.probability
        hidden[chance.argmin()] = True  # one at least: a loss over nothing has no value
        shown = tokens.clone()
        as_mask = hidden & (kind < _SHOWN_AS_MASK)
        as_another = hidden & ~as_mask & (kind < _SHOWN_AS_MASK + _SHOWN_AS_ANOTHER)
        shown[as_mask] = self.mask
        shown[as_another] = (other * self.vocabulary).long()[as_another]
        return {"input_ids": shown, "labels": tokens.masked_fill(~hidden, losses.IGNORED)}


@dataclass(frozen=True)
class MaskedLM:
    """The task with its token ids mapped."""

    config: RunConfig
    group: Group
    tokenizer: PreTrainedTokenizerBase
    samples: Blocks
    held_out: Blocks

    NEEDS: ClassVar[tuple[str, ...]] = ("mask_token", "pad_token")

    @classmethod
    def prepare(cls, config: RunConfig, group: Group, cache: Path) -> MaskedLM:
        """A collective; see `packed`.

        Raises:
            UserError: data or tokenizer are not what the config says.
        """
        data = packed(config, group, cache, cls.NEEDS)
        held_out = Blocks(data.held_out, config.task.tokens)
        return cls(config, group, data.tokenizer, data.samples, held_out)

    @property
    def tokens_per_sample(self) -> int:
        return self.config.task.tokens

    @property
    def can_evaluate(self) -> bool:
        return len(self.held_out) > 0

    def model(self) -> PreTrainedModel:
        return models.model(self.config, AutoModelForMaskedLM, self.tokenizer, {})

    @property
    def variation(self) -> Callable[[Batch, int], Batch]:
        return self._masking

    @property
    def collator(self) -> Callable[[Sequence[Batch]], Batch]:
        return stacked

    def inputs(self, model: PreTrainedModel, batch: Batch) -> Batch:
        return batch

    def loss(self, outputs: Any, labels: torch.Tensor) -> torch.Tensor:
        smoothing = self.config.training.arguments.label_smoothing_factor
        return losses.of_classes(outputs.logits, labels, smoothing)

    @torch.no_grad()
    def evaluate(self, model: torch.nn.Module) -> dict[str, float]:
        """Loss, perplexity and accuracy over hidden tokens, the same ones at every evaluation."""
        total, right, hidden = 0.0, 0, 0
        was_training = model.training
        device = next(model.parameters()).device
        model.eval()
        own = range(self.group.rank, len(self.held_out), self.group.world_size)
        masking = self._masking
        for places in batches(own, _EVALUATION_BATCH):
            blocks = [masking.hidden(self.held_out[n]["input_ids"], 2 * n + 1) for n in places]
            batch = {name: t.to(device) for name, t in stacked(blocks).items()}
            labels = batch.pop("labels")
            logits = model(**batch).logits
            total += float(losses.of_classes(logits, labels).double())
            right += int((logits.argmax(dim=-1) == labels).sum())
            hidden += losses.count(labels)
        model.train(was_training)
        all_total, all_right, all_hidden = self.group.sums(total, float(right), float(hidden))
        loss = all_total / all_hidden
        return {
            "loss": loss,
            "perplexity": math.exp(loss) if loss < 700 else math.inf,
            "accuracy": all_right / all_hidden,
            "tokens": all_hidden,
        }

    @property
    def _masking(self) -> Masking:
        return Masking(
            seed=self.config.training.seed,
            probability=self.config.task.mask_probability or _MASK_PROBABILITY,
            special=tuple(self.tokenizer.all_special_ids),
            mask=int(self.tokenizer.mask_token_id),
            vocabulary=len(self.tokenizer),
        )

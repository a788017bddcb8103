"""Causal language modelling: predict the next token of packed text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import torch
from transformers import (
    AutoModelForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from trainingrun_trainer.config import RunConfig
from trainingrun_trainer.tasks import losses, models, perplexity
from trainingrun_trainer.tasks.collate import Batch, stacked, unvaried
from trainingrun_trainer.tasks.packed import packed
from trainingrun_trainer.tasks.token_cache import Blocks, TokenIds
from trainingrun_trainer.worker.distributed import Group

_EVALUATION_BATCH: Final = 16
"""Windows in one evaluation pass; memory grows with batch x block x vocabulary."""


@dataclass(frozen=True)
class CausalLM:
    """The task with its token ids mapped."""

    config: RunConfig
    group: Group
    tokenizer: PreTrainedTokenizerBase
    samples: Blocks
    held_out: TokenIds

    NEEDS: ClassVar[tuple[str, ...]] = ("eos_token",)

    @classmethod
    def prepare(cls, config: RunConfig, group: Group, cache: Path) -> CausalLM:
        """A collective; see `packed`.

        Raises:
            UserError: data or tokenizer are not what the config says.
        """
        data = packed(config, group, cache, cls.NEEDS)
        return cls(config, group, data.tokenizer, data.samples, data.held_out)

    @property
    def tokens_per_sample(self) -> int:
        return self.config.task.tokens

    @property
    def can_evaluate(self) -> bool:
        return len(self.held_out) > 1

    def model(self) -> PreTrainedModel:
        return models.model(self.config, AutoModelForCausalLM, self.tokenizer, {})

    @property
    def variation(self) -> Callable[[Batch, int], Batch]:
        return unvaried

    @property
    def collator(self) -> Callable[[Sequence[Batch]], Batch]:
        return stacked

    def inputs(self, model: PreTrainedModel, batch: Batch) -> Batch:
        return batch

    def loss(self, outputs: Any, labels: torch.Tensor) -> torch.Tensor:
        smoothing = self.config.training.arguments.label_smoothing_factor
        return losses.of_next_tokens(outputs.logits, labels, smoothing)

    def evaluate(self, model: torch.nn.Module) -> dict[str, float]:
        all_windows = perplexity.windows(len(self.held_out), self.config.task.tokens)
        own = perplexity.share(all_windows, self.group.rank, self.group.world_size)
        total, count = perplexity.negative_log_likelihood(
            model, self.held_out, own, _EVALUATION_BATCH
        )
        return perplexity.metrics(total, count, self.group.sums)

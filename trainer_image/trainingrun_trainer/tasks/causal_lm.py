"""Causal language modelling: predict the next token of packed text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    set_seed,
)

from trainingrun_trainer.config import FromScratch, RunConfig
from trainingrun_trainer.errors import UserError
from trainingrun_trainer.tasks import perplexity, text_files, token_cache
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

    @classmethod
    def prepare(cls, config: RunConfig, group: Group, cache: Path) -> CausalLM:
        """Has rank 0 make tokenizer and token ids if they are not there yet.

        Raises:
            UserError: data or tokenizer are not what the config says.
        """

        def made() -> str:
            files = text_files.split(config.data)
            folder = cache / token_cache.fingerprint(config, files)
            if not folder.is_dir():
                print(f"preparing {len(files.train)} files of text", flush=True)
                token_cache.build(config, files, folder)
            return folder.name

        folder = cache / group.from_leader("token-cache", made)
        if not group.everyone(folder.is_dir()):
            raise UserError(
                f"not all workers see {folder}; they need a claim that they share",
                "spec.storage.claimName",
            )
        tokenizer, train, held_out = token_cache.load(folder)
        samples = Blocks(train, config.task.tokens, config.data.max_samples)
        if not samples:
            raise UserError(
                f"the training text has {len(train)} tokens, less than one block of "
                f"{config.task.tokens}; give more text or a smaller block",
                "spec.data.train",
            )
        return cls(config, group, tokenizer, samples, held_out)

    @property
    def tokens_per_sample(self) -> int:
        return self.config.task.tokens

    @property
    def can_evaluate(self) -> bool:
        return len(self.held_out) > 1

    def model(self) -> PreTrainedModel:
        set_seed(self.config.training.seed)
        if self.config.model.from_scratch is not None:
            return self._from_scratch(self.config.model.from_scratch)
        return self._by_name(str(self.config.model.name))

    def evaluate(self, model: torch.nn.Module) -> dict[str, float]:
        all_windows = perplexity.windows(len(self.held_out), self.config.task.tokens)
        own = perplexity.share(all_windows, self.group.rank, self.group.world_size)
        total, count = perplexity.negative_log_likelihood(
            model, self.held_out, own, _EVALUATION_BATCH
        )
        return perplexity.metrics(total, count, self.group.sums)

    def _kind(self) -> dict[str, Any]:
        """The type of the weights, and the form of attention if one is asked for."""
        model = self.config.model
        attention = {"attn_implementation": model.attention.value} if model.attention else {}
        return {"dtype": getattr(torch, model.dtype.value), **attention}

    def _from_scratch(self, shape: FromScratch) -> PreTrainedModel:
        config = AutoConfig.for_model(
            shape.model_type,
            vocab_size=len(self.tokenizer),
            hidden_size=shape.hidden_size,
            intermediate_size=shape.intermediate_size or 4 * shape.hidden_size,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.attention_heads,
            num_key_value_heads=shape.key_value_heads or shape.attention_heads,
            max_position_embeddings=shape.max_positions or self.config.task.tokens,
            tie_word_embeddings=shape.tie_word_embeddings,
            bos_token_id=self.tokenizer.eos_token_id,
            eos_token_id=self.tokenizer.eos_token_id,
        )
        model: PreTrainedModel = AutoModelForCausalLM.from_config(  # type: ignore[no-untyped-call]
            config, **self._kind()
        )
        return model

    def _by_name(self, name: str) -> PreTrainedModel:
        try:
            model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
                name,
                revision=self.config.model.revision,
                **self._kind(),
                use_safetensors=True,
                trust_remote_code=False,
            )
        except (OSError, ValueError) as error:
            raise UserError(
                f"the model {name} cannot be loaded: {error}", "spec.model.name"
            ) from error
        rows = model.config.get_text_config().vocab_size
        if len(self.tokenizer) > rows:
            raise UserError(
                f"the tokenizer has {len(self.tokenizer)} entries, the model only {rows}",
                "spec.model.tokenizer",
            )
        return model

"""The tokenizer: trained on the run's own text, or loaded by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from trainingrun_trainer.config import Model, TrainTokenizer
from trainingrun_trainer.errors import UserError

END_OF_TEXT: Final = "<|endoftext|>"


def train(settings: TrainTokenizer, texts: Iterable[str]) -> PreTrainedTokenizerFast:
    """A byte-level byte-pair tokenizer; it can write any text, and learns from the first part."""
    backend = Backend(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=settings.vocab_size,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(_first_part(texts, settings.sample_megabytes * 1_000_000), trainer)
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=backend, eos_token=END_OF_TEXT
    )


def load(model: Model) -> PreTrainedTokenizerBase:
    """The tokenizer that the config names.

    Raises:
        UserError: it cannot be loaded, or has no end-of-text token to put between texts.
    """
    own = model.tokenizer is None or model.tokenizer.name is None
    name = model.name if own or model.tokenizer is None else model.tokenizer.name
    field = "spec.model.name" if own else "spec.model.tokenizer.name"
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            name, revision=model.revision if own else None, trust_remote_code=False
        )
    except (OSError, ValueError) as error:
        raise UserError(f"the tokenizer {name} cannot be loaded: {error}", field) from error
    if tokenizer.eos_token_id is None:
        raise UserError(f"the tokenizer {name} has no end-of-text token", field)
    return tokenizer


def reload(folder: Path) -> PreTrainedTokenizerBase:
    """A tokenizer that `save_pretrained` wrote."""
    tokenizer: PreTrainedTokenizerBase = PreTrainedTokenizerFast.from_pretrained(folder)
    return tokenizer


def _first_part(texts: Iterable[str], limit: int) -> Iterator[str]:
    total = 0
    for text in texts:
        if total >= limit:
            return
        total += len(text.encode())
        yield text

"""The tokenizer: trained on the run's own text, or loaded by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from trainingrun_trainer.config import Model, RunConfig, TaskType, TrainTokenizer
from trainingrun_trainer.errors import UserError

END_OF_TEXT: Final = "<|endoftext|>"
_PADDING, _FIRST, _LAST, _MASK = _MARKS = ("[PAD]", "[CLS]", "[SEP]", "[MASK]")
"""The marks of tokenizers for models that read both ways."""
_HAS_TYPES: Final = ("bert",)
"""Architectures that are told first and second text apart by number."""


def for_run(
    config: RunConfig, needs: Sequence[str], texts: Iterable[str]
) -> PreTrainedTokenizerBase:
    """The tokenizer of a run: trained on `texts`, or loaded. `needs` are the special tokens that
    its task cannot do without, such as `mask_token`.

    Raises:
        UserError: it cannot be loaded, or lacks one of them.
    """
    settings, shape = config.model.tokenizer, config.model.from_scratch
    if settings is None or settings.train is None:
        return load(config.model, needs)
    if config.task.type is TaskType.CAUSAL_LM:
        return train(settings.train, texts)
    types = shape is not None and shape.model_type in _HAS_TYPES
    return train_marked(settings.train, texts, types=types)


def train(settings: TrainTokenizer, texts: Iterable[str]) -> PreTrainedTokenizerFast:
    """A byte-level byte-pair tokenizer; it can write any text, and learns from the first part."""
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=_trained(settings, texts, (END_OF_TEXT,)),
        eos_token=END_OF_TEXT,
        pad_token=END_OF_TEXT,
    )


def train_marked(
    settings: TrainTokenizer, texts: Iterable[str], *, types: bool
) -> PreTrainedTokenizerFast:
    """As `train`, but texts begin and end with marks, a pair of them is set apart, and tokens can
    be masked: for models that read both ways."""
    backend = _trained(settings, texts, _MARKS)
    backend.post_processor = processors.TemplateProcessing(
        single=f"{_FIRST} $A {_LAST}",
        pair=f"{_FIRST} $A {_LAST} $B:1 {_LAST}:1",
        special_tokens=[(mark, backend.token_to_id(mark)) for mark in (_FIRST, _LAST)],
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=backend,
        pad_token=_PADDING,
        cls_token=_FIRST,
        sep_token=_LAST,
        mask_token=_MASK,
        bos_token=_FIRST,
        eos_token=_LAST,
        model_input_names=["input_ids", *(["token_type_ids"] if types else []), "attention_mask"],
    )


def _trained(
    settings: TrainTokenizer, texts: Iterable[str], special_tokens: Sequence[str]
) -> Backend:
    backend = Backend(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=settings.vocab_size,
        special_tokens=list(special_tokens),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(_first_part(texts, settings.sample_megabytes * 1_000_000), trainer)
    return backend


def load(model: Model, needs: Sequence[str] = ("eos_token",)) -> PreTrainedTokenizerBase:
    """The tokenizer that the config names. One without a token for padding pads with its last.

    Raises:
        UserError: it cannot be loaded, lacks a special token, or cannot tell where tokens stand.
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
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    for token in needs:
        if getattr(tokenizer, token) is None:
            raise UserError(
                f"the tokenizer {name} has no {token.replace('_', ' ')}; name one that has", field
            )
    if not tokenizer.is_fast:
        raise UserError(
            f"the tokenizer {name} cannot tell where its tokens stand in a text; name one with a "
            "tokenizer.json",
            field,
        )
    tokenizer.padding_side = tokenizer.truncation_side = "right"
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

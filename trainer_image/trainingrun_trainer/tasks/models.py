"""The model to train: loaded by name, or made from random weights, with the head of the task."""

from __future__ import annotations

import math
from typing import Any, Final

import torch
from transformers import AutoConfig, PreTrainedModel, PreTrainedTokenizerBase, set_seed

from trainingrun_trainer.config import FromScratch, Model, RunConfig
from trainingrun_trainer.errors import UserError

_WITHOUT_POSITIONS: Final = 1 << 20
"""Models whose configuration states no longest text have no table of positions to run out of."""


def model(
    config: RunConfig, auto: Any, tokenizer: PreTrainedTokenizerBase, head: dict[str, Any]
) -> PreTrainedModel:
    """A model equal on all ranks. `auto` is one of Transformers' Auto classes, `head` what the task
    adds to the model's configuration.

    Raises:
        UserError: it cannot be loaded, or does not fit tokenizer or samples.
    """
    set_seed(config.training.seed)
    if config.model.from_scratch is not None:
        return _from_scratch(config, config.model.from_scratch, auto, tokenizer, head)
    return _by_name(config, auto, tokenizer, head)


def _from_scratch(
    config: RunConfig,
    shape: FromScratch,
    auto: Any,
    tokenizer: PreTrainedTokenizerBase,
    head: dict[str, Any],
) -> PreTrainedModel:
    longest = max(config.task.tokens, config.task.max_target_tokens or 0)
    settings = _SHAPES.get(shape.model_type, _decoder)(shape, shape.max_positions or longest)
    first, last, padding = (
        tokenizer.bos_token_id,
        tokenizer.eos_token_id,
        tokenizer.pad_token_id,
    )
    made: PreTrainedModel = auto.from_config(
        AutoConfig.for_model(
            shape.model_type,
            vocab_size=len(tokenizer),
            bos_token_id=last if first is None else first,
            eos_token_id=last,
            # The padding's embedding is never learnt; where it also ends texts, it must be.
            pad_token_id=None if padding == last else padding,
            **settings,
            **head,
        ),
        **_kind(config.model),
    )
    return made


def _kind(model: Model) -> dict[str, Any]:
    """The type of the weights, and the form of attention if one is asked for."""
    attention = {"attn_implementation": model.attention.value} if model.attention else {}
    return {"dtype": getattr(torch, model.dtype.value), **attention}


def _by_name(
    config: RunConfig, auto: Any, tokenizer: PreTrainedTokenizerBase, head: dict[str, Any]
) -> PreTrainedModel:
    name = config.model.name
    try:
        loaded: PreTrainedModel = auto.from_pretrained(
            name,
            revision=config.model.revision,
            **_kind(config.model),
            use_safetensors=True,
            trust_remote_code=False,
            # A head for other labels, or none, gives way to a new one; the body must fit.
            ignore_mismatched_sizes="num_labels" in head,
            **head,
        )
    except (OSError, ValueError) as error:
        raise UserError(
            f"the model {name} cannot be loaded for {config.task.type.value}: {error}",
            "spec.model.name",
        ) from error
    shape = loaded.config.get_text_config()
    if len(tokenizer) > shape.vocab_size:
        raise UserError(
            f"the tokenizer has {len(tokenizer)} entries, the model only {shape.vocab_size}",
            "spec.model.tokenizer",
        )
    positions = getattr(shape, "max_position_embeddings", None) or _WITHOUT_POSITIONS
    if config.task.tokens > positions:
        raise UserError(
            f"samples of {config.task.tokens} tokens are longer than the {positions} that the "
            f"model {name} can read; write at most that",
            "spec.task.blockSize",
        )
    if loaded.config.pad_token_id is None:
        # Classifiers of decoders look for the last token that is no padding.
        loaded.config.pad_token_id = tokenizer.pad_token_id
    return loaded


def _decoder(shape: FromScratch, longest: int) -> dict[str, Any]:
    return {
        "tie_word_embeddings": shape.tie_word_embeddings,
        "hidden_size": shape.hidden_size,
        "intermediate_size": shape.intermediate_size or 4 * shape.hidden_size,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.attention_heads,
        "num_key_value_heads": shape.key_value_heads or shape.attention_heads,
        "max_position_embeddings": longest,
    }


def _bert(shape: FromScratch, longest: int) -> dict[str, Any]:
    # Dropout draws differently on every number of ranks; small models from scratch do without.
    return {
        "hidden_size": shape.hidden_size,
        "intermediate_size": shape.intermediate_size or 4 * shape.hidden_size,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.attention_heads,
        "max_position_embeddings": longest,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "initializer_range": _deviation(shape.hidden_size),
    }


def _bart(shape: FromScratch, longest: int) -> dict[str, Any]:
    width = shape.intermediate_size or 4 * shape.hidden_size
    return {
        "d_model": shape.hidden_size,
        "encoder_layers": shape.layers,
        "decoder_layers": shape.layers,
        "encoder_attention_heads": shape.attention_heads,
        "decoder_attention_heads": shape.attention_heads,
        "encoder_ffn_dim": width,
        "decoder_ffn_dim": width,
        "max_position_embeddings": longest,
        "dropout": 0.0,
        "forced_eos_token_id": None,
        "init_std": _deviation(shape.hidden_size),
    }


def _deviation(hidden_size: int) -> float:
    """Standard deviation of the first weights: sqrt(2 / (5 hidden_size)), Nguyen and Salazar's
    SmallInit (2019, section 2.2). It is BERT's 0.02 at BERT's width; in a narrow model 0.02 makes
    attention so even that hundreds of steps pass before it looks at anything."""
    return math.sqrt(2 / (5 * hidden_size))


_SHAPES: Final = {"bert": _bert, "bart": _bart}

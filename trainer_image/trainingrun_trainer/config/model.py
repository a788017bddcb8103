"""The model to train, and its tokenizer."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from trainingrun_trainer.config.sources import ModelName
from trainingrun_trainer.rules import Group, Rule


class DataType(StrEnum):
    """What weights are kept in, by its torch name."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


class Attention(StrEnum):
    """How attention is computed, by its Transformers name."""

    EAGER = "eager"
    SDPA = "sdpa"


class FromScratch(Group):
    """The shape of a model that starts from random weights."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="self.hiddenSize % self.attentionHeads == 0",
            holds=lambda m: m.hidden_size % m.attention_heads == 0,
            message="hiddenSize must be a multiple of attentionHeads; change one of them",
            field="hiddenSize",
        ),
        Rule(
            cel="!has(self.keyValueHeads) || self.attentionHeads % self.keyValueHeads == 0",
            holds=lambda m: m.key_value_heads is None or m.attention_heads % m.key_value_heads == 0,
            message="attentionHeads must be a multiple of keyValueHeads; change one of them",
            field="keyValueHeads",
        ),
        Rule(
            cel="!has(self.keyValueHeads) || !(self.modelType in ['bert', 'bart'])",
            holds=lambda m: m.key_value_heads is None or m.model_type not in ("bert", "bart"),
            message="bert and bart have no key/value heads of their own; remove keyValueHeads",
            field="keyValueHeads",
        ),
    )

    model_type: Literal["llama", "mistral", "qwen2", "bert", "bart"] = Field(
        "llama", description="The architecture, by its Transformers name."
    )
    hidden_size: int = Field(256, ge=8, le=65536, description="Width of the hidden states.")
    intermediate_size: int | None = Field(
        None,
        ge=8,
        le=262144,
        description="Width of the feed-forward layers; four times hiddenSize if absent.",
    )
    layers: int = Field(4, ge=1, le=512, description="Number of hidden layers.")
    attention_heads: int = Field(4, ge=1, le=1024, description="Attention heads in each layer.")
    key_value_heads: int | None = Field(
        None, ge=1, le=1024, description="Key/value heads in each layer; attentionHeads if absent."
    )
    max_positions: int | None = Field(
        None,
        ge=8,
        le=1048576,
        description="The longest text the model may be given; as long as a sample if absent.",
    )
    tie_word_embeddings: bool = Field(
        False,
        description="Use the input's embeddings for the output as well; bert and bart always do.",
    )


class TrainTokenizer(Group):
    """A tokenizer trained on the training data before the model."""

    vocab_size: int = Field(
        4096, ge=300, le=1048576, description="Entries of the byte-level byte-pair vocabulary."
    )
    sample_megabytes: int = Field(
        16,
        ge=1,
        le=4096,
        description="How much of the training text to learn the vocabulary from, in 10^6 bytes.",
    )


class Tokenizer(Group):
    """Where the tokenizer comes from; absent means: the model's own."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="has(self.name) != has(self.train)",
            holds=lambda t: (t.name is None) != (t.train is None),
            message="name and train exclude each other, and one is needed; "
            "give exactly one of them",
        ),
    )

    name: ModelName | None = Field(None, description="A hub id, or a path in the pod.")
    train: TrainTokenizer | None = Field(
        None, description="Train a new byte-level byte-pair tokenizer."
    )


class Model(Group):
    """The model to train."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="has(self.name) != has(self.fromScratch)",
            holds=lambda m: (m.name is None) != (m.from_scratch is None),
            message="name and fromScratch exclude each other, and one is needed; "
            "give exactly one of them",
        ),
        Rule(
            cel="!has(self.fromScratch) || has(self.tokenizer)",
            holds=lambda m: m.from_scratch is None or m.tokenizer is not None,
            message="a model from scratch has no tokenizer of its own; "
            "give tokenizer.name or tokenizer.train",
            field="tokenizer",
        ),
        Rule(
            cel="!has(self.revision) || has(self.name)",
            holds=lambda m: m.revision is None or m.name is not None,
            message="revision belongs to a model that is named; remove it or give name",
            field="revision",
        ),
    )

    name: ModelName | None = Field(
        None, description="A hub id, or a path in the pod, to start from."
    )
    revision: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = Field(
        None, description="The hub revision: a commit, tag or branch."
    )
    dtype: DataType = Field(
        DataType.FLOAT32,
        description="What the weights and the optimiser's state are kept in; training.precision "
        "is the arithmetic. bfloat16 halves the memory and loses small updates.",
    )
    attention: Attention | None = Field(
        None, description="How attention is computed; sdpa where the model has it if absent."
    )
    from_scratch: FromScratch | None = Field(
        None, description="Start from random weights of this shape."
    )
    tokenizer: Tokenizer | None = Field(
        None, description="The tokenizer; the model's own if absent."
    )

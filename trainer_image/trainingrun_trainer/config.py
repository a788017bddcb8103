"""RunConfig: what the operator tells the trainer, in one versioned JSON document.

The groups a user writes that reach the trainer unchanged (task, model, data, training, checkpoints,
evaluation) are defined here once; the operator's API reuses them, so that a field means the same in
the TrainingRun and in the pod. This module imports no training library.
"""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, StringConstraints

from trainingrun_trainer.rules import Group, Rule

RUN_CONFIG_VERSION: Final = "v1alpha1"

BUILTIN_PYTHON_STDLIB: Final = "builtin://python-stdlib"
"""A data source: the source text of the standard library of the Python that runs the trainer."""

LocalPath = Annotated[
    str,
    StringConstraints(min_length=1, max_length=1024, pattern=r"^/"),
    Field(examples=["/runs/data"]),
]
DataSource = Annotated[
    str,
    StringConstraints(min_length=1, max_length=1024, pattern=r"^(/|builtin://python-stdlib$)"),
    Field(examples=["/runs/data", BUILTIN_PYTHON_STDLIB]),
]
ModelName = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=1024,
        pattern=r"^(/.+|[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9._-]+)?)$",
    ),
    Field(examples=["organisation/model", "/runs/models/small"]),
]


class TaskType(StrEnum):
    """What the model is trained to do."""

    CAUSAL_LM = "causal-lm"


class Task(Group):
    """What the model is trained to do, and the settings of that task."""

    type: TaskType = Field(
        description="The task: causal-lm trains a model to predict the next token."
    )
    block_size: int = Field(
        256,
        ge=8,
        le=131072,
        description="Tokens in one training sample; texts are packed to this length.",
    )


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
    )

    model_type: Literal["llama"] = Field(
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
    from_scratch: FromScratch | None = Field(
        None, description="Start from random weights of this shape."
    )
    tokenizer: Tokenizer | None = Field(
        None, description="The tokenizer; the model's own if absent."
    )


class Data(Group):
    """What to train on, and what to hold out."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!(has(self.evaluation) && has(self.evaluationPercent))",
            holds=lambda d: d.evaluation is None or d.evaluation_percent is None,
            message="the held-out data is already given by evaluation; remove one of the two",
            field="evaluationPercent",
        ),
    )

    train: DataSource = Field(
        description=f"A folder or file in the pod, or {BUILTIN_PYTHON_STDLIB}: the source text of "
        "the Python standard library."
    )
    evaluation: DataSource | None = Field(
        None, description="Held-out data: a folder or file in the pod."
    )
    evaluation_percent: int | None = Field(
        None,
        ge=1,
        le=50,
        description="Hold out this share of the files of train, chosen by a hash of their names.",
    )
    files: Annotated[str, StringConstraints(min_length=1, max_length=256)] = Field(
        "**/*", description="Which files of a folder to read, as a glob pattern relative to it."
    )
    max_megabytes: int | None = Field(
        None, ge=1, le=1048576, description="Read at most this much training text, in 10^6 bytes."
    )


class Precision(StrEnum):
    """The arithmetic of the forward and backward pass."""

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


class Schedule(StrEnum):
    """How the learning rate changes over the run, by its Transformers name."""

    LINEAR = "linear"
    COSINE = "cosine"
    CONSTANT = "constant"
    CONSTANT_WITH_WARMUP = "constant_with_warmup"


class Training(Group):
    """How the model is trained. The result does not depend on the number of workers."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="has(self.maxSteps) != has(self.epochs)",
            holds=lambda t: (t.max_steps is None) != (t.epochs is None),
            message="maxSteps and epochs exclude each other, and one is needed; "
            "give exactly one of them",
        ),
        Rule(
            cel="!has(self.perDeviceBatchSize) || "
            "self.globalBatchSize % self.perDeviceBatchSize == 0",
            holds=lambda t: (
                t.per_device_batch_size is None
                or t.global_batch_size % t.per_device_batch_size == 0
            ),
            message="globalBatchSize must be a multiple of perDeviceBatchSize; change one of them",
            field="perDeviceBatchSize",
        ),
    )

    global_batch_size: int = Field(
        32,
        ge=1,
        le=1048576,
        description="Samples in one optimiser step, whatever the number of workers.",
    )
    per_device_batch_size: int | None = Field(
        None,
        ge=1,
        le=65536,
        description="Samples in one forward pass of one rank; the largest fitting number up to 8 "
        "if absent.",
    )
    max_steps: int | None = Field(
        None, ge=1, le=1_000_000_000, description="Optimiser steps to train for."
    )
    epochs: int | None = Field(None, ge=1, le=100_000, description="Passes over the training data.")
    learning_rate: float = Field(5e-5, gt=0, le=10, description="Peak learning rate.")
    schedule: Schedule = Field(
        Schedule.LINEAR, description="How the learning rate changes over the run."
    )
    warmup_steps: int = Field(
        0, ge=0, le=1_000_000_000, description="Steps over which the learning rate rises."
    )
    weight_decay: float = Field(0.0, ge=0, le=10, description="Weight decay of AdamW.")
    max_gradient_norm: float = Field(
        1.0, ge=0, le=1000, description="Clip gradients to this norm; 0 for never."
    )
    precision: Precision = Field(
        Precision.AUTO,
        description="auto: bfloat16 where the processor has AMX or the device has it, else "
        "float32.",
    )
    seed: int = Field(42, ge=0, le=4294967295, description="Seeds weights, data order and dropout.")
    logging_steps: int = Field(
        10, ge=1, le=1_000_000, description="Log and report loss every so many steps."
    )


class Checkpoints(Group):
    """When the state of training is saved, and how many saves are kept."""

    every_steps: int = Field(
        200, ge=1, le=1_000_000_000, description="Save every so many optimiser steps."
    )
    keep: int = Field(
        3,
        ge=2,
        le=1000,
        description="Keep the newest so many; two at least, so that one is always whole.",
    )


class Evaluation(Group):
    """When the held-out data is evaluated. It always is at the end."""

    every_steps: int | None = Field(
        None, ge=1, le=1_000_000_000, description="Evaluate every so many optimiser steps as well."
    )
    at_start: bool = Field(
        False, description="Evaluate before the first step as well, for a baseline."
    )


class ResumeFrom(StrEnum):
    """What a run starts from when its folder already holds checkpoints."""

    LATEST = "latest"
    NONE = "none"


# --- what only the operator decides -----------------------------------------------------------


class RunIdentity(Group):
    """Which run this is; `uid` tells a run from an earlier one of the same name."""

    namespace: str = "default"
    name: str
    uid: str = ""


class Processes(Group):
    """The shape of the distributed job."""

    workers: int = Field(1, ge=1, description="Workers that are meant to come.")
    min_workers: int = Field(1, ge=1, description="Train with no fewer.")
    max_workers: int = Field(1, ge=1, description="Train with no more.")
    per_worker: int = Field(1, ge=1, description="Ranks in each worker.")
    max_restarts: int = Field(
        10, ge=0, description="Restarts of a failed rank over the run, all workers together."
    )


class Communication(Group):
    """How ranks talk to each other."""

    backend: Literal["gloo", "nccl"] = "gloo"
    timeout_seconds: int = Field(
        300, ge=5, description="A collective that takes longer has failed."
    )


class Cpu(Group):
    """How each rank uses its share of the worker's CPUs."""

    threads: int = Field(1, ge=1, description="OpenMP threads of each rank.")


class RunConfig(Group):
    """The whole contract. Unknown fields and versions are refused."""

    version: Literal["v1alpha1"] = RUN_CONFIG_VERSION
    run: RunIdentity
    folder: LocalPath = Field(description="The run's own folder: checkpoints, model, logs.")
    task: Task
    model: Model
    data: Data
    training: Training
    checkpoints: Checkpoints = Checkpoints()
    evaluation: Evaluation = Evaluation()
    resume: ResumeFrom = ResumeFrom.LATEST
    processes: Processes = Processes()
    communication: Communication = Communication()
    cpu: Cpu = Cpu()

    @classmethod
    def read(cls, path: Path) -> RunConfig:
        """The RunConfig in a JSON file.

        Raises:
            OSError: the file cannot be read.
            pydantic.ValidationError: it is not a valid RunConfig.
        """
        return cls.model_validate_json(path.read_bytes())

    def to_json(self) -> str:
        """The document `read` takes, keys sorted, absent values left out."""
        return json.dumps(
            self.model_dump(mode="json", by_alias=True, exclude_none=True), indent=2, sort_keys=True
        )

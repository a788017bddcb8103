"""What is a task's own, where a row of a table is an example: the rest is the same for all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from trainingrun_trainer.tasks.collate import Batch
from trainingrun_trainer.tasks.data.row import Row
from trainingrun_trainer.tasks.data.samples import Example, Sample

Answers = Sequence[Mapping[str, Any]]
"""What a model gave for each sample of one example: arrays by name."""


class Recipe(Protocol):
    """How one task reads rows, encodes them, learns from them, and is measured."""

    NEEDS: ClassVar[tuple[str, ...]]
    """Special tokens of the tokenizer without which the task cannot be, by their attribute."""
    ALIGNED: ClassVar[tuple[str, ...]]
    """Arrays of a sample with an entry for each token of the input."""
    AUTO_MODEL: ClassVar[Any]
    """The Transformers class that loads a model with this task's head."""

    def example(self, row: Row) -> Example:
        """What the task reads from a row.

        Raises:
            UserError: the row is not what the task needs; names the part and the row.
        """

    def texts(self, example: Example) -> Iterator[str]:
        """The texts of an example, to learn a vocabulary from."""

    def labels(self, example: Example) -> Iterable[str]:
        """The labels of an example, for a task that has a set of them."""

    def fit(self, tokenizer: PreTrainedTokenizerBase, labels: Sequence[str]) -> None:
        """Checks that tokenizer, labels and settings fit each other, before the first encoding.

        Raises:
            UserError: they do not.
        """

    def encode(
        self,
        tokenizer: PreTrainedTokenizerBase,
        labels: Sequence[str],
        example: Example,
        *,
        held_out: bool,
    ) -> Iterator[Sample]:
        """The samples of an example, all of one shape; held-out ones may hold more arrays.

        Raises:
            UserError: it does not fit into a sample.
        """

    def head(self, labels: Sequence[str]) -> dict[str, Any]:
        """Settings of the model's configuration that belong to the task."""

    def inputs(self, model: PreTrainedModel, batch: Batch) -> Batch:
        """A training batch as the model takes it; `labels` stays in it."""

    def loss(self, outputs: Any, labels: torch.Tensor, smoothing: float = 0.0) -> torch.Tensor:
        """The loss summed over the labels that are learnt, in nats where it is an entropy."""

    def count(self, labels: torch.Tensor) -> int:
        """How many labels a loss was summed over."""

    def outputs(
        self, model: PreTrainedModel, batch: Batch, outputs: Any
    ) -> Mapping[str, torch.Tensor]:
        """What an evaluation keeps of a forward pass: tensors whose first dimension is the
        batch's."""

    def prediction(
        self,
        tokenizer: PreTrainedTokenizerBase,
        example: Example,
        samples: Sequence[Batch],
        answers: Answers,
        labels: Sequence[str],
    ) -> dict[str, Any]:
        """What is written of an example: JSON values."""

    def metrics(
        self, predictions: Iterable[Mapping[str, Any]], labels: Sequence[str]
    ) -> dict[str, float]:
        """The task's metrics over all predictions."""

"""The tasks: each turns a RunConfig into a model, samples and an evaluation.

A task knows data and models; it knows nothing of restarts, checkpoints or reports.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from trainingrun_trainer.config import Packing, RunConfig, TaskType
from trainingrun_trainer.worker.distributed import Group

Batch = dict[str, torch.Tensor]


class Task(Protocol):
    """One task, its data ready on this machine."""

    @property
    def samples(self) -> Sequence[Any]:
        """Training samples, each a dict of tensors of equal shapes; the same on all ranks."""

    @property
    def tokens_per_sample(self) -> int:
        """For throughput."""

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """Saved beside the model."""

    @property
    def can_evaluate(self) -> bool:
        """Whether there is held-out data."""

    def model(self) -> PreTrainedModel:
        """A model to train, equal on all ranks."""

    @property
    def variation(self) -> Callable[[Batch, int], Batch]:
        """What makes of a sample what is seen of it at one position of the run, a function of
        nothing else. It can be pickled: processes that load samples get it."""

    @property
    def collator(self) -> Callable[[Sequence[Batch]], Batch]:
        """What makes a batch of samples; `labels` is in it. It can be pickled too."""

    def inputs(self, model: PreTrainedModel, batch: Batch) -> Batch:
        """A batch as the model takes it; `labels` stays in it."""

    def loss(self, outputs: Any, labels: torch.Tensor) -> torch.Tensor:
        """The loss of a batch summed over its labels, those of -100 left out; the trainer divides
        it by their number in the global batch."""

    def evaluate(self, model: torch.nn.Module) -> dict[str, float]:
        """Metrics over the held-out data, equal on all ranks; a collective."""


def prepare(config: RunConfig, group: Group) -> Task:
    """The task of a run; a collective. May take long the first time, then finds its work done.

    Raises:
        UserError: data, tokenizer or model are not what the config says.
    """
    # Each task's libraries are loaded only for it; its modules import from this one.
    from trainingrun_trainer.tasks import recipes  # noqa: PLC0415
    from trainingrun_trainer.tasks.causal_lm import CausalLM  # noqa: PLC0415
    from trainingrun_trainer.tasks.masked_lm import MaskedLM  # noqa: PLC0415
    from trainingrun_trainer.tasks.table_task import TableTask  # noqa: PLC0415

    cache = Path(config.folder) / "data"
    packs = config.task.packing is not Packing.SEPARATE
    if config.task.type is TaskType.CAUSAL_LM and packs:
        return CausalLM.prepare(config, group, cache)
    if config.task.type is TaskType.MASKED_LM:
        return MaskedLM.prepare(config, group, cache)
    return TableTask.prepare(config, recipes.recipe(config.task), group, cache)

"""The tasks: each turns a RunConfig into a model, samples and an evaluation.

A task knows data and models; it knows nothing of restarts, checkpoints or reports.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from trainingrun_trainer.config import RunConfig, TaskType
from trainingrun_trainer.worker.distributed import Group


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

    def evaluate(self, model: torch.nn.Module) -> dict[str, float]:
        """Metrics over the held-out data, equal on all ranks; a collective."""


def prepare(config: RunConfig, group: Group) -> Task:
    """The task of a run; a collective. May take long the first time, then finds its work done.

    Raises:
        UserError: data, tokenizer or model are not what the config says.
    """
    return _TASKS[config.task.type](config, group)


def _causal_lm(config: RunConfig, group: Group) -> Task:
    # Each task's libraries are loaded only for it; causal_lm itself imports from this module.
    from trainingrun_trainer.tasks.causal_lm import CausalLM  # noqa: PLC0415

    return CausalLM.prepare(config, group, Path(config.folder) / "data")


_TASKS: Final[dict[TaskType, Callable[[RunConfig, Group], Task]]] = {
    TaskType.CAUSAL_LM: _causal_lm,
}

"""Hugging Face's Trainer with our arguments: a fixed global batch, and our own evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from accelerate import DistributedType  # type: ignore[import-untyped]
from transformers import (
    PreTrainedModel,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    default_data_collator,
)
from transformers.integrations.integration_utils import KubeflowCallback

from trainingrun_trainer.batching import batching
from trainingrun_trainer.config import Ipex, Precision, RunConfig
from trainingrun_trainer.tasks import Task
from trainingrun_trainer.worker import ipex
from trainingrun_trainer.worker.arguments import training_arguments
from trainingrun_trainer.worker.order import OrderedSamples


class RunTrainer(Trainer):
    """A Trainer whose evaluation is the task's."""

    def __init__(
        self, task: Task, model: PreTrainedModel, extension: Ipex, **arguments: Any
    ) -> None:
        super().__init__(model=model, **arguments)
        self._task = task
        self._extension = extension
        self._trained = model
        # Our progress lines take the place of printed dicts, and our reports that of Transformers'
        # own, which TrainingArguments adds by itself wherever the operator's URL is set.
        for unwanted in (PrinterCallback, KubeflowCallback):
            self.remove_callback(unwanted)

    def create_optimizer(self, model: torch.nn.Module | None = None) -> torch.optim.Optimizer:
        """The optimizer; the last moment before model and optimizer are wrapped for the ranks."""
        made: torch.optim.Optimizer = super().create_optimizer(model)
        ipex.optimise(self._trained, made, self._extension)
        if self._extension is Ipex.BFLOAT16:
            # Wrapping the model is what makes it train wrongly, for a single rank too.
            self.accelerator.state.distributed_type = DistributedType.NO
        return made

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """The task's metrics, logged under `eval_`; a collective."""
        metrics = {f"eval_{k}": v for k, v in self._task.evaluate(self._trained).items()}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics


def build(
    config: RunConfig,
    task: Task,
    model: PreTrainedModel,
    steps: int,
    world_size: int,
    checkpoints: Path,
    callbacks: list[TrainerCallback],
    precision: Precision,
) -> RunTrainer:
    """The trainer of this rank, ready to train for `steps` optimiser steps.

    Raises:
        IndivisibleBatchError: the global batch cannot be made by so many ranks.
        UserError: the schedule does not fit into so few steps.
    """
    training = config.training
    samples = OrderedSamples(task.samples, training.seed, steps * training.global_batch_size)
    return RunTrainer(
        task,
        model,
        config.cpu.ipex,
        args=training_arguments(config, task, steps, world_size, checkpoints, precision),
        train_dataset=samples,
        eval_dataset=samples if task.can_evaluate else None,
        data_collator=default_data_collator,
        callbacks=callbacks,
    )


def first_batch(config: RunConfig, task: Task, world_size: int) -> dict[str, Any]:
    """What one pass of training takes, from the first samples."""
    training = config.training
    batch = batching(training.global_batch_size, world_size, training.per_device_batch_size)
    samples = [task.samples[n % len(task.samples)] for n in range(batch.per_device)]
    collated: dict[str, Any] = default_data_collator(samples)
    return collated

"""Hugging Face's Trainer with our arguments: a fixed global batch, and our own evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import (
    PreTrainedModel,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    default_data_collator,
)
from transformers.integrations.integration_utils import KubeflowCallback

from trainingrun_trainer.batching import batching
from trainingrun_trainer.config import RunConfig
from trainingrun_trainer.tasks import Task
from trainingrun_trainer.worker.cpu import bfloat16_wanted
from trainingrun_trainer.worker.order import OrderedSamples


class RunTrainer(Trainer):
    """A Trainer whose evaluation is the task's."""

    def __init__(self, task: Task, model: PreTrainedModel, **arguments: Any) -> None:
        super().__init__(model=model, **arguments)
        self._task = task
        self._trained = model
        # Our progress lines take the place of printed dicts, and our reports that of Transformers'
        # own, which TrainingArguments adds by itself wherever the operator's URL is set.
        for unwanted in (PrinterCallback, KubeflowCallback):
            self.remove_callback(unwanted)

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
) -> RunTrainer:
    """The trainer of this rank, ready to train for `steps` optimiser steps.

    Raises:
        IndivisibleBatchError: the global batch cannot be made by so many ranks.
    """
    training = config.training
    samples = OrderedSamples(task.samples, training.seed, steps * training.global_batch_size)
    return RunTrainer(
        task,
        model,
        args=arguments(config, task, steps, world_size, checkpoints),
        train_dataset=samples,
        eval_dataset=samples if task.can_evaluate else None,
        data_collator=default_data_collator,
        callbacks=callbacks,
    )


def arguments(
    config: RunConfig, task: Task, steps: int, world_size: int, checkpoints: Path
) -> TrainingArguments:
    """Our settings as TrainingArguments. `ddp_backend` stays unset: the process group is there."""
    training, evaluation = config.training, config.evaluation
    batch = batching(training.global_batch_size, world_size, training.per_device_batch_size)
    evaluates = task.can_evaluate and evaluation.every_steps is not None
    return TrainingArguments(
        output_dir=str(checkpoints),
        # One pass over OrderedSamples is the whole run.
        max_steps=steps,
        train_sampling_strategy="sequential",
        per_device_train_batch_size=batch.per_device,
        gradient_accumulation_steps=batch.accumulation,
        learning_rate=training.learning_rate,
        lr_scheduler_type=training.schedule.value,
        warmup_steps=training.warmup_steps,
        weight_decay=training.weight_decay,
        max_grad_norm=training.max_gradient_norm,
        bf16=bfloat16_wanted(training.precision),
        use_cpu=not torch.cuda.is_available(),
        seed=training.seed,
        logging_steps=training.logging_steps,
        logging_first_step=True,
        eval_strategy="steps" if evaluates else "no",
        eval_steps=evaluation.every_steps if evaluates else None,
        save_strategy="steps",
        save_steps=config.checkpoints.every_steps,
        # Rotation is ours: only verified checkpoints count.
        save_total_limit=None,
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        ddp_find_unused_parameters=False,
    )

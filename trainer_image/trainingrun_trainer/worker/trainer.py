"""Hugging Face's Trainer with our arguments: a fixed global batch, our evaluation and saving."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import (
    PreTrainedModel,
    PrinterCallback,
    Trainer,
    TrainerCallback,
)
from transformers.integrations.integration_utils import KubeflowCallback

from trainingrun_trainer.batching import batching
from trainingrun_trainer.config import Ipex, Precision, RunConfig
from trainingrun_trainer.tasks import Task
from trainingrun_trainer.worker import ipex
from trainingrun_trainer.worker.arguments import training_arguments
from trainingrun_trainer.worker.order import OrderedSamples
from trainingrun_trainer.worker.rank_state import (
    RankState,
    RunningLoss,
    random_numbers,
    read_running_loss,
    restore_random_numbers,
)
from trainingrun_trainer.worker.saving import Saving
from trainingrun_trainer.worker.start import StartingPoint


class RunTrainer(Trainer):
    """A Trainer whose evaluation is the task's, and whose checkpoints are `Saving`'s."""

    def __init__(
        self,
        task: Task,
        model: PreTrainedModel,
        extension: Ipex,
        start: StartingPoint,
        saving: Saving,
        **arguments: Any,
    ) -> None:
        super().__init__(model=model, **arguments)
        self._task = task
        self._extension = extension
        self._trained = model
        self._start = start
        self._saving = saving
        # Our progress lines take the place of printed dicts, and our reports that of Transformers'
        # own, which TrainingArguments adds by itself wherever the operator's URL is set.
        for unwanted in (PrinterCallback, KubeflowCallback):
            self.remove_callback(unwanted)

    def create_optimizer(self, model: torch.nn.Module | None = None) -> torch.optim.Optimizer:
        """The optimizer; the last moment before model and optimizer are wrapped for the ranks."""
        made: torch.optim.Optimizer = super().create_optimizer(model)
        ipex.optimise(self._trained, made, self._extension)
        return made

    def _prepare_inputs(self, inputs: dict[str, Any]) -> dict[str, Any]:
        # Here and not where samples are loaded: that may be in processes without the model.
        return self._task.inputs(self._trained, super()._prepare_inputs(inputs))

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """The task's metrics, logged under `eval_`; a collective."""
        metrics = {f"eval_{k}": v for k, v in self._task.evaluate(self._trained).items()}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics

    def _save_checkpoint(self, *_: Any, **__: Any) -> None:
        """In place of Trainer's own, which makes training wait for every file; a collective."""
        self.store_flos()
        loss = RunningLoss(self._tr_loss.item(), self._globalstep_last_logged)
        self._saving.save(self, self._trained, RankState(random_numbers(), loss))

    def _load_rng_state(self, checkpoint: str | None) -> None:
        """Trainer calls this last of all before it trains on from a checkpoint.

        Its own finds nothing for another number of ranks, and begins the running loss at zero.
        """
        if checkpoint is None or self._start.manifest is None:
            return
        folder, rank = Path(checkpoint), self.args.process_index
        restore_random_numbers(folder, rank, self._start.manifest.world_size)
        if (loss := read_running_loss(folder, rank, self.args.world_size)) is not None:
            self._tr_loss += loss.sum
            self._globalstep_last_logged = loss.since_step


def build(
    config: RunConfig,
    task: Task,
    model: PreTrainedModel,
    steps: int,
    start: StartingPoint,
    saving: Saving,
    callbacks: list[TrainerCallback],
    precision: Precision,
) -> RunTrainer:
    """The trainer of this rank, ready to train for `steps` optimiser steps.

    Raises:
        IndivisibleBatchError: the global batch cannot be made by so many ranks.
        UserError: the schedule does not fit into so few steps.
    """
    training = config.training
    length = steps * training.global_batch_size
    samples = OrderedSamples(task.samples, training.seed, length, task.variation)
    return RunTrainer(
        task,
        model,
        config.cpu.ipex,
        start,
        saving,
        args=training_arguments(config, task, steps, saving.world_size, start.root, precision),
        train_dataset=samples,
        eval_dataset=samples if task.can_evaluate else None,
        data_collator=task.collator,
        compute_loss_func=_mean_loss(task),
        callbacks=callbacks,
    )


def first_pass(
    config: RunConfig, task: Task, model: PreTrainedModel, world_size: int
) -> Callable[[], torch.Tensor]:
    """One forward pass of training over the first samples; what it is called for is the loss."""
    training = config.training
    batch = batching(training.global_batch_size, world_size, training.per_device_batch_size)
    places = range(batch.per_device)
    samples = [task.variation(task.samples[n % len(task.samples)], n) for n in places]
    inputs = task.inputs(model, task.collator(samples))
    labels = inputs.pop("labels")
    return lambda: task.loss(model(**inputs), labels) / labels.numel()


def _mean_loss(task: Task) -> Callable[..., torch.Tensor]:
    """The task's loss over the number of labels in the whole global batch, which Trainer counts
    over all passes and ranks: so a step is the same however it is cut into them."""

    def loss(outputs: Any, labels: torch.Tensor, num_items_in_batch: torch.Tensor) -> torch.Tensor:
        return task.loss(outputs, labels) / num_items_in_batch

    return loss

"""Our settings as Transformers' TrainingArguments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import TrainingArguments

from trainingrun_trainer.batching import batching
from trainingrun_trainer.config import Optimizer, Precision, RunConfig, Schedule, ScheduleType
from trainingrun_trainer.errors import UserError
from trainingrun_trainer.tasks import Task


def training_arguments(
    config: RunConfig,
    task: Task,
    steps: int,
    world_size: int,
    checkpoints: Path,
    precision: Precision,
) -> TrainingArguments:
    """The arguments of every rank. `ddp_backend` stays unset: the process group is there.

    Raises:
        IndivisibleBatchError: the global batch cannot be made by so many ranks.
        UserError: the schedule does not fit into so few steps.
    """
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
        **_schedule(training.schedule, steps),
        **_optimizer(training.optimizer),
        max_grad_norm=training.max_gradient_norm,
        bf16=precision is Precision.BFLOAT16,
        activation_checkpointing=training.activation_checkpointing,
        # The reentrant form takes no part in DDP's look at which gradients are ready.
        activation_checkpointing_kwargs={"use_reentrant": False},
        full_determinism=training.deterministic,
        use_cpu=not torch.cuda.is_available(),
        seed=training.seed,
        logging_steps=training.logging_steps,
        logging_first_step=True,
        eval_strategy="steps" if evaluates else "no",
        eval_steps=evaluation.every_steps if evaluates else None,
        save_strategy="steps",
        # The last step is always saved.
        save_steps=config.checkpoints.step_interval or steps,
        # Rotation is ours: only verified checkpoints count.
        save_total_limit=None,
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        dataloader_num_workers=config.cpu.data_loader_workers,
        **training.arguments.model_dump(exclude_none=True),
    )


def _schedule(schedule: Schedule, steps: int) -> dict[str, Any]:
    warmup, decay = schedule.warmup(steps), schedule.decay(steps)
    if warmup + decay > steps:
        raise UserError(
            f"a warm-up of {warmup} steps and a decay of {decay} do not fit into the run's {steps} "
            "steps; write less of one of them, or train for longer",
            "spec.training.schedule",
        )
    more: dict[str, Any] = {}
    minimum = (schedule.minimum_percent or 0) / 100
    match schedule.type:
        case ScheduleType.COSINE_WITH_MINIMUM:
            more = {"min_lr_rate": minimum}
        case ScheduleType.COSINE_WITH_RESTARTS:
            more = {"num_cycles": schedule.cycles or 1}
        case ScheduleType.WARMUP_STABLE_DECAY:
            more = {"num_decay_steps": decay, "min_lr_ratio": minimum}
    return {
        "lr_scheduler_type": schedule.type.value,
        "lr_scheduler_kwargs": more,
        "warmup_steps": warmup,
    }


def _optimizer(optimizer: Optimizer) -> dict[str, Any]:
    adam = {"beta1": optimizer.beta1, "beta2": optimizer.beta2, "epsilon": optimizer.epsilon}
    momentum = optimizer.momentum
    return {
        "optim": optimizer.name.value,
        "weight_decay": optimizer.weight_decay,
        **{f"adam_{name}": value for name, value in adam.items() if value is not None},
        **({"optim_args": f"momentum={momentum}"} if momentum is not None else {}),
    }

"""Further TrainingArguments: which a user may set, and what decides the others.

A closed group rather than a map: a map of free keys has one type for all values and no bounds, and
`kubectl explain` knows nothing of it (docs/adr/0008-training-arguments.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import Field

from trainingrun_trainer.rules import Group


class Arguments(Group):
    """Further settings of Transformers' TrainingArguments, by their names in camelCase."""

    label_smoothing_factor: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="How much of each label is spread evenly over the vocabulary; the evaluation "
        "is not smoothed.",
    )
    neftune_noise_alpha: float | None = Field(
        None, gt=0, le=1000, description="Scale of the noise that NEFTune adds to embeddings."
    )
    logging_nan_inf_filter: bool = Field(
        True, description="Leave out losses that are not finite from the logged mean."
    )
    ddp_bucket_cap_mb: int | None = Field(
        None,
        ge=1,
        le=4096,
        description="Gradients that travel together, in 2^20 bytes; torch's own if absent.",
    )
    ddp_broadcast_buffers: bool | None = Field(
        None, description="Send the buffers of rank 0 before each pass; torch's own if absent."
    )
    ddp_find_unused_parameters: bool = Field(
        False, description="Look for weights that a pass leaves out, at the price of time."
    )


_LOGGING: Final = "progress is reported by the trainer itself"
_EVALUATING: Final = "the task evaluates by itself; see spec.evaluation"
_HUB: Final = "nothing is sent to the hub"
_SAVING: Final = "spec.checkpoints"
_LOADING: Final = "samples are read from mapped memory, in an order that restarts keep"
_CLUSTER: Final = "the operator"
_LATER: Final = "is not offered yet"

DECIDED: Final[Mapping[str, str]] = {
    "output_dir": "the run's own folder; spec.storage says where",
    "per_device_train_batch_size": "spec.training.perDeviceBatchSize",
    "gradient_accumulation_steps": "spec.training.globalBatchSize",
    "auto_find_batch_size": "spec.training.globalBatchSize",
    "num_train_epochs": "spec.training.epochs",
    "max_steps": "spec.training.maxSteps",
    "learning_rate": "spec.training.learningRate",
    "lr_scheduler_type": "spec.training.schedule.type",
    "lr_scheduler_kwargs": "spec.training.schedule",
    "warmup_steps": "spec.training.schedule.warmupSteps",
    "optim": "spec.training.optimizer.name",
    "optim_args": "spec.training.optimizer",
    "optim_target_modules": f"an optimiser that {_LATER}",
    "weight_decay": "spec.training.optimizer.weightDecay",
    "adam_beta1": "spec.training.optimizer.beta1",
    "adam_beta2": "spec.training.optimizer.beta2",
    "adam_epsilon": "spec.training.optimizer.epsilon",
    "max_grad_norm": "spec.training.maxGradientNorm",
    "average_tokens_across_devices": "the global batch, which is the same for any number of ranks",
    "bf16": "spec.training.precision",
    "fp16": "spec.training.precision",
    "bf16_full_eval": _EVALUATING,
    "fp16_full_eval": _EVALUATING,
    "tf32": f"spec.runtime; one with GPUs {_LATER}",
    "activation_checkpointing": "spec.training.activationCheckpointing",
    "activation_checkpointing_kwargs": "spec.training.activationCheckpointing",
    "gradient_checkpointing": "spec.training.activationCheckpointing",
    "gradient_checkpointing_kwargs": "spec.training.activationCheckpointing",
    "torch_compile": "the image, which has no C++ compiler for torch.compile to call",
    "torch_compile_backend": "the image, which has no C++ compiler for torch.compile to call",
    "torch_compile_mode": "the image, which has no C++ compiler for torch.compile to call",
    "use_liger_kernel": "the image, which has no Liger kernels",
    "liger_kernel_config": "the image, which has no Liger kernels",
    "use_cache": "training, which never reads a cache of keys and values",
    "torch_empty_cache_steps": f"spec.runtime; one with GPUs {_LATER}",
    "logging_strategy": _LOGGING,
    "logging_steps": "spec.training.loggingSteps",
    "logging_first_step": _LOGGING,
    "log_on_each_node": _LOGGING,
    "include_num_input_tokens_seen": _LOGGING,
    "log_level": _LOGGING,
    "log_level_replica": _LOGGING,
    "disable_tqdm": _LOGGING,
    "report_to": _LOGGING,
    "run_name": "metadata.name",
    "project": _LOGGING,
    "trackio_space_id": _LOGGING,
    "trackio_bucket_id": _LOGGING,
    "trackio_static_space_id": _LOGGING,
    "eval_strategy": "spec.evaluation.everySteps",
    "eval_steps": "spec.evaluation.everySteps",
    "eval_on_start": "spec.evaluation.atStart",
    "eval_delay": _EVALUATING,
    "per_device_eval_batch_size": _EVALUATING,
    "prediction_loss_only": _EVALUATING,
    "eval_do_concat_batches": _EVALUATING,
    "eval_use_gather_object": _EVALUATING,
    "eval_accumulation_steps": _EVALUATING,
    "include_for_metrics": _EVALUATING,
    "batch_eval_metrics": _EVALUATING,
    "label_names": "spec.task",
    "save_only_model": "resuming, which needs the optimiser's state",
    "save_strategy": _SAVING,
    "save_steps": "spec.checkpoints.everySteps",
    "save_on_each_node": _SAVING,
    "save_total_limit": "spec.checkpoints.keep",
    "enable_jit_checkpoint": "spec.policy.terminationGracePeriodSeconds, in which one is saved",
    "load_best_model_at_end": "the end of the run: its last weights are the model",
    "metric_for_best_model": "the end of the run: its last weights are the model",
    "greater_is_better": "the end of the run: its last weights are the model",
    "push_to_hub": _HUB,
    "hub_token": _HUB,
    "hub_private_repo": _HUB,
    "hub_model_id": _HUB,
    "hub_strategy": _HUB,
    "hub_always_push": _HUB,
    "hub_revision": _HUB,
    "ignore_data_skip": _LOADING,
    "restore_callback_states_from_checkpoint": _SAVING,
    "resume_from_checkpoint": "spec.resume",
    "full_determinism": "spec.training.deterministic",
    "seed": "spec.training.seed",
    "data_seed": "spec.training.seed",
    "use_cpu": "spec.runtime",
    "accelerator_config": _CLUSTER,
    "parallelism_config": f"data parallelism; another {_LATER}",
    "dataloader_drop_last": _LOADING,
    "dataloader_num_workers": "spec.cpu.dataLoaderWorkers",
    "dataloader_pin_memory": _LOADING,
    "dataloader_persistent_workers": _LOADING,
    "dataloader_prefetch_factor": _LOADING,
    "dataloader_multiprocessing_context": _LOADING,
    "dataloader_in_order": _LOADING,
    "remove_unused_columns": "spec.task",
    "train_sampling_strategy": _LOADING,
    "length_column_name": _LOADING,
    "ddp_static_graph": "the trainer: a static graph and accumulation exclude each other",
    "ddp_backend": "spec.communication.backend",
    "ddp_timeout": "spec.communication.timeoutSeconds",
    "fsdp": f"data parallelism; another {_LATER}",
    "fsdp_config": f"data parallelism; another {_LATER}",
    "deepspeed": f"data parallelism; another {_LATER}",
    "debug": _CLUSTER,
    "skip_memory_metrics": _LOGGING,
    "do_train": "spec.task",
    "do_eval": "spec.evaluation",
    "do_predict": "spec.task",
    "local_rank": _CLUSTER,
}
"""What decides each TrainingArgument that `Arguments` has not, by its Transformers name."""

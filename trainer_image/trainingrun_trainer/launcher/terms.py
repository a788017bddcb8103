"""What the coordinator of a run goes by, from its config."""

from __future__ import annotations

from trainingrun_trainer.batching import fitting_world_sizes
from trainingrun_trainer.config import AnyConfig, ScriptConfig
from trainingrun_trainer.launcher.rounds import Terms


def terms_of(config: AnyConfig) -> Terms:
    """How many workers are meant to come, and which numbers of them can make the global batch;
    what a user's own program makes of their number is its own affair."""
    processes = config.processes
    if isinstance(config, ScriptConfig):
        sizes = frozenset(range(processes.min_workers, processes.max_workers + 1))
        return Terms(meant=processes.workers, sizes=sizes)
    training = config.training
    worlds = fitting_world_sizes(
        training.global_batch_size,
        processes.max_workers * processes.per_worker,
        training.per_device_batch_size,
    )
    sizes = frozenset(
        workers
        for workers in range(processes.min_workers, processes.max_workers + 1)
        if workers * processes.per_worker in worlds
    )
    return Terms(meant=min(processes.workers, max(sizes, default=1)), sizes=sizes)

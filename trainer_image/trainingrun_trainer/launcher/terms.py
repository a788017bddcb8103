"""What the coordinator of a run goes by, from its config."""

from __future__ import annotations

from trainingrun_trainer.batching import fitting_world_sizes
from trainingrun_trainer.config import RunConfig
from trainingrun_trainer.launcher.rounds import Terms


def terms_of(config: RunConfig) -> Terms:
    """How many workers are meant to come, and which numbers of them can make the global batch."""
    processes, training = config.processes, config.training
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

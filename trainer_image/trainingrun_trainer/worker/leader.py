"""What rank 0 alone does around training: it keeps the account."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from trainingrun_trainer.config import RunConfig
from trainingrun_trainer.handover import Orders
from trainingrun_trainer.report import Finding
from trainingrun_trainer.reporting.post import Endpoint
from trainingrun_trainer.reporting.poster import Poster
from trainingrun_trainer.state import RunState
from trainingrun_trainer.tasks import Task
from trainingrun_trainer.worker import recovery
from trainingrun_trainer.worker.distributed import Group
from trainingrun_trainer.worker.owner import Owner
from trainingrun_trainer.worker.progress import Account, Scale
from trainingrun_trainer.worker.start import StartingPoint


def account(
    config: RunConfig,
    group: Group,
    orders: Orders,
    task: Task,
    steps: int,
    start: StartingPoint,
    owner: Owner,
    stack: tuple[Finding, ...],
) -> Account:
    """Opens the account of this round, on what the folder remembers of earlier ones.

    Raises:
        OSError: the folder cannot be written.
    """
    folder = Path(config.folder)
    now = datetime.now(UTC)
    state = RunState.read(folder)
    if not owner.made(state.uid) or state.started_at is None:
        state = RunState(uid=config.run.uid, started_at=now)
        state.write(folder)
    scale = Scale(
        total_steps=steps,
        global_batch=config.training.global_batch_size,
        tokens_per_sample=task.tokens_per_sample,
        samples=len(task.samples),
        world_size=group.world_size,
    )
    restart = recovery.pending(orders, state, start.step, now)
    endpoint = Endpoint.from_env(os.environ)
    poster = Poster(endpoint.post, lambda line: print(line, flush=True)) if endpoint else None
    opened = Account(folder, scale, state, start.step, restart, poster, stack)
    for record in start.set_aside:
        opened.checkpoint(record)
    if start.manifest is not None and start.folder is not None:
        opened.resumed_from(start.manifest.record(start.folder))
    return opened

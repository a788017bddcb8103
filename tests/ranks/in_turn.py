"""Several small runs in turn by the same ranks: each run alone would cost seconds of imports."""

from __future__ import annotations

import json
import multiprocessing
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from transformers.utils.logging import disable_progress_bar

from trainingrun_trainer import tasks
from trainingrun_trainer.config import BackendName, Precision, RunConfig
from trainingrun_trainer.worker import trainer
from trainingrun_trainer.worker.backends import Chosen
from trainingrun_trainer.worker.distributed import Group
from trainingrun_trainer.worker.start import StartingPoint


@dataclass(frozen=True)
class Trained:
    """What rank 0 saw of a run: the loss of each step, and the metrics before and after."""

    losses: list[float]
    before: dict[str, float]
    after: dict[str, float]


@dataclass(frozen=True)
class SavesNothing:
    """Ranks that keep no checkpoints."""

    world_size: int

    def save(self, *_: object) -> None:
        pass


def train(configs: dict[str, RunConfig], world_size: int, folder: Path) -> dict[str, Trained]:
    """Trains each run with so many ranks; what was seen, by the runs' names."""
    folder.mkdir()
    documents = {name: config.to_json() for name, config in configs.items()}
    # Forked from a server that has the libraries already, as the launcher's ranks are.
    multiprocessing.set_forkserver_preload([__name__])
    mp.start_processes(
        _rank,
        args=(world_size, documents, str(folder)),
        nprocs=world_size,
        start_method="forkserver",
    )
    seen: dict[str, Any] = json.loads((folder / "seen.json").read_text())
    return {name: Trained(**entry) for name, entry in seen.items()}


def _rank(rank: int, world_size: int, documents: dict[str, str], folder: str) -> None:
    # As the launcher does: accelerate takes them for a sign of several ranks.
    os.environ |= {
        **dict.fromkeys(("RANK", "LOCAL_RANK"), f"{rank}"),
        **dict.fromkeys(("WORLD_SIZE", "LOCAL_WORLD_SIZE"), f"{world_size}"),
        "MASTER_ADDR": "localhost",
        "OMP_NUM_THREADS": "1",
    }
    torch.set_num_threads(1)
    disable_progress_bar()
    store = dist.FileStore(f"{folder}/store", world_size)
    seen = {}
    dist.init_process_group(
        "gloo", store=dist.PrefixStore("group", store), rank=rank, world_size=world_size
    )
    gloo = Chosen(BackendName.GLOO, "what every image has")
    for name, document in documents.items():
        group = Group(rank, world_size, rank, dist.PrefixStore(name, store), gloo)
        seen[name] = _trained(RunConfig.model_validate_json(document), group)
    dist.destroy_process_group()
    if rank == 0:
        Path(folder, "seen.json").write_text(json.dumps(seen))


def _trained(config: RunConfig, group: Group) -> dict[str, Any]:
    task = tasks.prepare(config, group)
    model = task.model()
    steps = config.training.max_steps or 1
    start, saving = (
        StartingPoint(Path(config.folder) / "checkpoints", None),
        SavesNothing(group.world_size),
    )
    training = trainer.build(config, task, model, steps, start, saving, [], Precision.FLOAT32)
    before = task.evaluate(model)
    training.train()
    return {
        "losses": [entry["loss"] for entry in training.state.log_history if "loss" in entry],
        "before": before,
        "after": task.evaluate(model),
    }

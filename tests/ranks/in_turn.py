"""Several small runs in turn by the same ranks: each run alone would cost seconds of imports."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from transformers.utils.logging import disable_progress_bar

from trainingrun_trainer import tasks
from trainingrun_trainer.config import Precision, RunConfig
from trainingrun_trainer.worker import trainer
from trainingrun_trainer.worker.distributed import Group


@dataclass(frozen=True)
class Trained:
    """What rank 0 saw of a run: the loss of each step, and the metrics before and after."""

    losses: list[float]
    before: dict[str, float]
    after: dict[str, float]


def train(configs: dict[str, RunConfig], world_size: int, folder: Path) -> dict[str, Trained]:
    """Trains each run with so many ranks; what was seen, by the runs' names."""
    folder.mkdir()
    documents = {name: config.to_json() for name, config in configs.items()}
    mp.spawn(_rank, args=(world_size, documents, str(folder)), nprocs=world_size)
    seen: dict[str, Any] = json.loads((folder / "seen.json").read_text())
    return {name: Trained(**entry) for name, entry in seen.items()}


def _rank(rank: int, world_size: int, documents: dict[str, str], folder: str) -> None:
    # As the launcher does: accelerate takes them for a sign of several ranks.
    os.environ |= {"RANK": f"{rank}", "LOCAL_RANK": f"{rank}", "WORLD_SIZE": f"{world_size}"}
    torch.set_num_threads(1)
    disable_progress_bar()
    store = dist.FileStore(f"{folder}/store", world_size)
    seen = {}
    dist.init_process_group(
        "gloo", store=dist.PrefixStore("group", store), rank=rank, world_size=world_size
    )
    for name, document in documents.items():
        group = Group(rank, world_size, rank, dist.PrefixStore(name, store))
        seen[name] = _trained(RunConfig.model_validate_json(document), group)
    dist.destroy_process_group()
    if rank == 0:
        Path(folder, "seen.json").write_text(json.dumps(seen))


def _trained(config: RunConfig, group: Group) -> dict[str, Any]:
    task = tasks.prepare(config, group)
    model = task.model()
    steps = config.training.max_steps or 1
    checkpoints = Path(config.folder) / "checkpoints"
    training = trainer.build(
        config, task, model, steps, group.world_size, checkpoints, [], Precision.FLOAT32
    )
    before = task.evaluate(model)
    training.train()
    return {
        "losses": [entry["loss"] for entry in training.state.log_history if "loss" in entry],
        "before": before,
        "after": task.evaluate(model),
    }

"""What each rank alone knows: its random numbers, and its part of the loss not yet logged."""

from __future__ import annotations

import base64
import io
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import torch
from transformers.trainer_pt_utils import safe_globals

RUNNING_LOSS: Final = "running_loss.json"


@dataclass(frozen=True)
class RunningLoss:
    """The sum of this rank's losses since the last log, and at which step that was.

    Trainer does not save it: without it the first line after a resume would tell of fewer steps.
    """

    sum: float
    since_step: int


@dataclass(frozen=True)
class RankState:
    """One rank's own state between two steps."""

    random_numbers: bytes
    running_loss: RunningLoss

    def to_text(self) -> str:
        """For the way to rank 0."""
        numbers = base64.b64encode(self.random_numbers).decode()
        return json.dumps([numbers, self.running_loss.sum, self.running_loss.since_step])

    @classmethod
    def from_text(cls, text: str) -> Self:
        """What `to_text` gave."""
        numbers, loss, since_step = json.loads(text)
        return cls(base64.b64decode(numbers), RunningLoss(loss, since_step))


def random_numbers() -> bytes:
    """The state of every generator that training draws from, as in Trainer's file."""
    states: dict[str, Any] = {
        "python": random.getstate(),
        "numpy": np.random.get_state(),
        "cpu": torch.random.get_rng_state(),
    }
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.random.get_rng_state_all()
    file = io.BytesIO()
    torch.save(states, file)
    return file.getvalue()


def file_name(rank: int, world_size: int) -> str:
    """Trainer's name for one rank's random numbers, so that a plain Trainer finds them too."""
    return "rng_state.pth" if world_size == 1 else f"rng_state_{rank}.pth"


def restore_random_numbers(folder: Path, rank: int, world_size: int) -> None:
    """Sets the generators as the checkpoint of `world_size` ranks has them for this rank.

    A rank that the checkpoint does not know takes the numbers of rank modulo `world_size`: they
    are no worse than another seed, and the same at each resume.

    Raises:
        OSError: the file cannot be read.
    """
    with safe_globals():  # type: ignore[no-untyped-call]
        states = torch.load(folder / file_name(rank % world_size, world_size), weights_only=True)
    random.setstate(states["python"])
    np.random.set_state(states["numpy"])
    torch.random.set_rng_state(states["cpu"])
    if torch.cuda.is_available() and "cuda" in states:
        torch.cuda.random.set_rng_state_all(states["cuda"])


def write_running_loss(folder: Path, ranks: Sequence[RunningLoss]) -> None:
    """Writes the running loss of all ranks into a checkpoint."""
    document = {"sums": [loss.sum for loss in ranks], "sinceStep": ranks[0].since_step}
    (folder / RUNNING_LOSS).write_text(json.dumps(document))


def read_running_loss(folder: Path, rank: int, world_size: int) -> RunningLoss | None:
    """This rank's part; of another number of ranks, their mean, since a log is a mean over ranks.

    None if the checkpoint holds none, as one that a plain Trainer saved.
    """
    try:
        document = json.loads((folder / RUNNING_LOSS).read_bytes())
    except FileNotFoundError:
        return None
    sums: list[float] = document["sums"]
    own = sums[rank] if len(sums) == world_size else sum(sums) / len(sums)
    return RunningLoss(own, document["sinceStep"])

"""What a checkpoint holds, taken between two steps and written whenever there is time."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, cast

import torch
from transformers import PreTrainedModel
from transformers.trainer import (
    OPTIMIZER_NAME,
    SCALER_NAME,
    SCHEDULER_NAME,
    TRAINER_STATE_NAME,
    Trainer,
)

from trainingrun_trainer.worker.host_copy import tensors
from trainingrun_trainer.worker.rank_state import RankState, file_name, write_running_loss


@dataclass(frozen=True)
class Snapshot:
    """The files of a checkpoint by their contents; `states` is what changes with the next step."""

    model: PreTrainedModel
    states: dict[str, Any]
    """`weights`, and what torch saves, by the name of its file."""
    ranks: tuple[RankState, ...]
    trainer_state: str

    @property
    def size_bytes(self) -> int:
        return sum(tensor.nbytes for tensor in tensors(self.states))

    def write(self, folder: Path) -> None:
        """Writes what Trainer would have saved, file by file, and the running loss.

        Raises:
            OSError: a file could not be written.
            SafetensorError: the weights could not be.
        """
        states = dict(self.states)
        # Written first, as by Trainer; save_pretrained takes the tensors out of what it is given.
        self.model.save_pretrained(folder, state_dict=dict(states.pop("weights")))
        for name, state in states.items():
            _torch_save(state, folder / name)
        for rank, own in enumerate(self.ranks):
            (folder / file_name(rank, len(self.ranks))).write_bytes(own.random_numbers)
        write_running_loss(folder, [own.running_loss for own in self.ranks])
        (folder / TRAINER_STATE_NAME).write_text(self.trainer_state)


def take(trainer: Trainer, model: PreTrainedModel, ranks: Sequence[RankState]) -> Snapshot:
    """The present state, not copied: it changes with the next step. For rank 0."""
    if trainer.optimizer is None or trainer.lr_scheduler is None:
        raise TypeError("Trainer makes them before the first step")
    states = {
        "weights": model.state_dict(),
        OPTIMIZER_NAME: trainer.optimizer.state_dict(),
        SCHEDULER_NAME: trainer.lr_scheduler.state_dict(),
    }
    if (scaler := trainer.accelerator.scaler) is not None:
        states[SCALER_NAME] = scaler.state_dict()
    return Snapshot(model, states, tuple(ranks), _trainer_state(trainer))


def _trainer_state(trainer: Trainer) -> str:
    return json.dumps(asdict(trainer.state), indent=2, sort_keys=True) + "\n"


def _torch_save(state: Any, path: Path) -> None:
    with path.open("wb") as file:
        watched = _Watched(file)
        try:
            torch.save(state, cast("IO[bytes]", watched))
        except RuntimeError:
            if watched.error is not None:
                raise watched.error from None
            raise


class _Watched(io.RawIOBase):
    """A file that remembers why it could not be written: torch only says `unexpected pos`."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._file = file
        self.error: OSError | None = None

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        try:
            return self._file.write(data)
        except OSError as error:
            self.error = error
            raise

"""When ranks save, and what becomes of it: all give what they alone know, rank 0 writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import accelerate  # type: ignore[import-untyped]
import torch
import transformers
from transformers import PreTrainedModel, Trainer

from trainingrun_trainer.checkpoints import storage
from trainingrun_trainer.checkpoints.save import Origin, save
from trainingrun_trainer.checkpoints.writer import Outcome, Writer
from trainingrun_trainer.config import OnStorageFull, RunConfig
from trainingrun_trainer.errors import UserError
from trainingrun_trainer.worker import snapshot
from trainingrun_trainer.worker.distributed import Group
from trainingrun_trainer.worker.host_copy import HostCopy
from trainingrun_trainer.worker.memory import spare_bytes
from trainingrun_trainer.worker.progress import Account
from trainingrun_trainer.worker.rank_state import RankState
from trainingrun_trainer.worker.snapshot import Snapshot

SPARE_FACTOR: Final = 1.25
"""Memory that must be free for each byte of a copy: the writer's own buffers need some as well."""


class Saving:
    """Saves the state of training, on all ranks together; `account` is rank 0's."""

    def __init__(
        self,
        config: RunConfig,
        group: Group,
        root: Path,
        account: Account | None,
        spare: Callable[[], int] = spare_bytes,
    ) -> None:
        self._config = config
        self._group = group
        self._root = root
        self._account = account
        self._spare = spare
        self._writer = Writer()
        self._copy = HostCopy()

    @property
    def world_size(self) -> int:
        return self._group.world_size

    def save(self, trainer: Trainer, model: PreTrainedModel, own: RankState) -> None:
        """Takes the present state and has it written, beside training if so configured.

        A collective; it returns on all ranks when training may go on. Waiting has no time-out,
        unlike a collective of the process group: slow storage is no failure.
        """
        step = trainer.state.global_step
        others = self._group.to_leader(f"save/{step}", own.to_text())

        def begun() -> str:
            ranks = [own, *(RankState.from_text(others[rank]) for rank in sorted(others))]
            self._begin(step, snapshot.take(trainer, model, ranks))
            return "begun"

        self._group.from_leader(f"save/{step}", begun)
        self.enter()

    def finish(self) -> None:
        """Returns when all that was saved is written; a collective."""

        def written() -> str:
            self._writer.finish()
            return "written"

        self._group.from_leader("all-written", written)
        self.enter()

    def enter(self) -> None:
        """Enters the writes that are done into rank 0's account; other ranks have none.

        Raises:
            UserError: the storage takes no more, and the run is to stop then.
            Exception: writing failed for another reason.
        """
        for outcome in self._writer.outcomes():
            self._enter(outcome)

    def _begin(self, step: int, taken: Snapshot) -> None:
        config = self._config
        origin = Origin(
            step=step,
            world_size=self._group.world_size,
            global_batch=config.training.global_batch_size,
            run_uid=config.run.uid,
            versions={
                "torch": torch.__version__,
                "transformers": transformers.__version__,
                "accelerate": accelerate.__version__,
            },
        )
        if not self._may_copy(taken):
            self._writer.write(
                lambda: save(self._root, origin, taken.write, config.checkpoints.keep)
            )
            return
        self._writer.finish()  # it still reads the copy before
        copied = replace(taken, states=self._copy.of(taken.states))
        self._writer.begin(lambda: save(self._root, origin, copied.write, config.checkpoints.keep))

    def _may_copy(self, taken: Snapshot) -> bool:
        """Whether to write a copy beside training: wished for, and there is memory for it."""
        if not self._config.checkpoints.asynchronous:
            return False
        if self._copy.size_bytes:
            return True
        needed, left = taken.size_bytes * SPARE_FACTOR, self._spare()
        if needed <= left:
            return True
        print(
            f"no room for a copy of the state, {needed / 1e6:.0f} MB with {left / 1e6:.0f} MB of "
            "memory left: training waits while checkpoints are written",
            flush=True,
        )
        return False

    def _enter(self, outcome: Outcome) -> None:
        account = self._account
        if account is None:
            raise TypeError("only rank 0 writes checkpoints")
        if not isinstance(outcome, Exception):
            account.checkpoint(outcome.record(self._root / f"checkpoint-{outcome.step}"))
            return
        if (trouble := storage.trouble(outcome)) is None:
            raise outcome
        account.storage_refused(f"{trouble}: no checkpoint was saved")
        if self._config.checkpoints.on_storage_full is OnStorageFull.STOP:
            account.close()
            raise UserError(
                f"{trouble}, and spec.checkpoints.onStorageFull is Stop; make room on the claim, "
                "then retry: training goes on from the newest checkpoint",
                "spec.storage",
            )

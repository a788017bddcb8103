"""Trainer's hooks: each does one thing for the run around the training loop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from trainingrun_trainer.heartbeat import Activity, Heart
from trainingrun_trainer.worker.distributed import Group
from trainingrun_trainer.worker.progress import Account


class ShowBeats(TrainerCallback):
    """Shows the launcher that the rank goes on, and the step where it finds it afterwards."""

    def __init__(self, heart: Heart) -> None:
        self._heart = heart
        self._compiled = False

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self._heart.beat(state.global_step, Activity.PREPARING)

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self._stepping(state)

    def on_substep_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self._stepping(state)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self._compiled = True
        if control.should_save or control.should_evaluate or control.should_training_stop:
            self._heart.beat(state.global_step, Activity.PAUSED)
        else:
            self._stepping(state)

    def _stepping(self, state: TrainerState) -> None:
        self._heart.beat(
            state.global_step, Activity.STEPPING if self._compiled else Activity.PREPARING
        )


class SealCheckpoints(TrainerCallback):
    """After all ranks have saved, rank 0 seals the checkpoint, and the others wait for that: a
    rank that left meanwhile would have rank 0 stopped before the manifest is written."""

    def __init__(self, group: Group, root: Path, seal: Callable[[Path, int], None]) -> None:
        self._group = group
        self._root = root
        self._seal = seal

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        # Trainer's running loss is not saved. A log at every checkpoint empties it, so that a
        # resumed run logs the same numbers as an unbroken one.
        control.should_log |= control.should_save

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        step = state.global_step
        self._group.barrier()
        self._group.from_leader(f"sealed/{step}", lambda: self._sealed(step))

    def _sealed(self, step: int) -> str:
        self._seal(self._root / f"checkpoint-{step}", step)
        return "sealed"


class KeepAccount(TrainerCallback):
    """Tells rank 0's account what Trainer does."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self._account.started()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self._account.stepped(state.global_step)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        if logs and "loss" in logs:
            self._account.logged(state.global_step, logs["loss"], logs["learning_rate"])

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        named = {name.removeprefix("eval_"): value for name, value in (metrics or {}).items()}
        self._account.evaluated(state.global_step, named)

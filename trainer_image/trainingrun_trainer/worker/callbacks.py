"""Trainer's hooks: each does one thing for the run around the training loop."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from trainingrun_trainer.heartbeat import Activity, Heart
from trainingrun_trainer.worker.progress import Account
from trainingrun_trainer.worker.saving import Saving


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


class EnterCheckpoints(TrainerCallback):
    """Tells of checkpoints that were written meanwhile. For rank 0."""

    def __init__(self, saving: Saving) -> None:
        self._saving = saving

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self._saving.enter()


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

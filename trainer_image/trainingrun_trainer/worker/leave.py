"""Leaving together: one rank is asked, all ranks stop after the same step with a checkpoint."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from trainingrun_trainer.worker.distributed import Group


class AskedToLeave:
    """Set by the launcher's signal, at any time from the rank's first moment on."""

    def __init__(self) -> None:
        self.asked = False

    def listen(self) -> None:
        signal.signal(signal.SIGUSR1, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True


class LeaveTogether(TrainerCallback):
    """After each step the ranks ask each other; a single number per step, far below a gradient."""

    def __init__(self, group: Group, leave: AskedToLeave) -> None:
        self._group = group
        self._leave = leave
        self.left = False

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **_: Any,
    ) -> None:
        if self._group.anyone(self._leave.asked):
            self.left = state.global_step < state.max_steps
            control.should_save = True
            control.should_training_stop = True

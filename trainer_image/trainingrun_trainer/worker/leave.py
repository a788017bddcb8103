"""What ranks agree on after each step: to leave together, to save because it is time."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
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


class SaveClock:
    """Whether it is time for a checkpoint: `seconds` after the last one, never if None."""

    def __init__(self, seconds: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._since = clock()

    def start(self) -> None:
        """Time counts from now."""
        self._since = self._clock()

    @property
    def due(self) -> bool:
        return self._seconds is not None and self._clock() - self._since >= self._seconds


class AgreeAfterStep(TrainerCallback):
    """After each step the ranks ask each other; two numbers per step, far below a gradient.

    Asked to leave, all ranks stop after the same step with a checkpoint. When it is time to save,
    all save after the same step: rank 0's clock alone counts.
    """

    def __init__(self, group: Group, leave: AskedToLeave, save: SaveClock) -> None:
        self._group = group
        self._leave = leave
        self._save = save
        self.left = False

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self._save.start()

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self._save.start()

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **_: Any,
    ) -> None:
        leave, save = self._group.anyone(self._leave.asked, self._group.leads and self._save.due)
        control.should_save |= save
        if leave:
            self.left = state.global_step < state.max_steps
            control.should_save = True
            control.should_training_stop = True

"""Rank 0's account of the run: lines on stdout, reports to the operator, memory in the folder."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from trainingrun_trainer.checkpoints import storage
from trainingrun_trainer.config import Precision
from trainingrun_trainer.handover import PendingRestart
from trainingrun_trainer.report import (
    CheckpointRecord,
    Finding,
    Metric,
    Report,
    TrainerStatus,
    TrainingRunBlock,
)
from trainingrun_trainer.reporting.poster import Poster
from trainingrun_trainer.state import RunState
from trainingrun_trainer.worker import lines, recovery
from trainingrun_trainer.worker.metrics import MetricsFile

KEPT_CHECKPOINT_RECORDS = 32


def finite(metrics: Mapping[str, float]) -> dict[str, float]:
    """The metrics that JSON has numbers for: training that diverged has others too."""
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


@dataclass(frozen=True)
class Scale:
    """What turns steps into samples and tokens."""

    total_steps: int
    global_batch: int
    tokens_per_sample: int
    samples: int
    world_size: int


class Account:
    """Everything rank 0 knows; each event updates it, prints a line and reports."""

    def __init__(
        self,
        folder: Path,
        scale: Scale,
        state: RunState,
        step: int,
        restart: PendingRestart | None,
        poster: Poster | None,
        stack: tuple[Finding, ...] = (),
        say: Callable[[str], None] = lambda line: print(line, flush=True),
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.state = state
        self._folder = folder
        self._scale = scale
        self._restart = restart
        self._resumed_step = step
        self._poster = poster
        self._say = say
        self._metrics = MetricsFile(folder, state.uid, say)
        self._clock = clock
        self._now = now
        self._began = clock()
        self._mark = (self._began, step)
        self._eta: float | None = None
        self._block = TrainingRunBlock(
            step=step,
            total_steps=scale.total_steps,
            world_size=scale.world_size,
            attempt=state.restart_count + (restart is not None),
            restarts=state.restarts,
            stack=stack,
        )

    @property
    def total_steps(self) -> int:
        return self._scale.total_steps

    @property
    def samples_per_second(self) -> float | None:
        """Over all steps since training began in this round, evaluation and saving included."""
        seconds = self._clock() - self._began
        steps = self._block.step - self._resumed_step
        return steps * self._scale.global_batch / seconds if steps and seconds > 0 else None

    @property
    def tokens_per_second(self) -> float | None:
        """As `samples_per_second`."""
        rate = self.samples_per_second
        return None if rate is None else rate * self._scale.tokens_per_sample

    def resumed_from(self, record: CheckpointRecord) -> None:
        """Training resumes from this checkpoint, which was verified again."""
        self._update(checkpoints=(*self._block.checkpoints, record))

    def started(self) -> None:
        """Training begins: time counts from here."""
        self._began = self._clock()
        self._mark = (self._began, self._resumed_step)
        self._report(urgent=True)

    def stepped(self, step: int) -> None:
        """A step is done; after the first one a restart is complete."""
        self._update(step=step, epoch=step * self._scale.global_batch / self._scale.samples)
        if step != self._resumed_step + 1:
            return
        if self._restart is not None:
            record = recovery.completed(self._restart, self._resumed_step, self._now())
            self.state = self.state.with_restart(record)
            self._update(attempt=self.state.restart_count, restarts=self.state.restarts)
            self._say(lines.restart(record))
        self._remember(last_step=step, last_step_at=self._now(), left_in_order=False)
        self._report(urgent=True)

    def logged(self, step: int, loss: float, learning_rate: float) -> None:
        """A logging step of Trainer's."""
        now, (then, before) = self._clock(), self._mark
        self._mark = (now, step)
        samples_per_second = tokens_per_second = None
        if step > before and now > then:
            seconds_per_step = (now - then) / (step - before)
            samples_per_second = self._scale.global_batch / seconds_per_step
            tokens_per_second = samples_per_second * self._scale.tokens_per_sample
            self._eta = (self._scale.total_steps - step) * seconds_per_step
        self._update(
            step=step,
            loss=loss,
            learning_rate=learning_rate,
            samples_per_second=samples_per_second,
            tokens_per_second=tokens_per_second,
        )
        self._say(
            lines.training(
                step=step,
                total=self._scale.total_steps,
                loss=loss,
                learning_rate=learning_rate,
                samples_per_second=samples_per_second,
                tokens_per_second=tokens_per_second,
                eta_seconds=self._eta,
            )
        )
        self._metrics.write(
            self._now(),
            step=step,
            epoch=self._block.epoch,
            loss=loss,
            learning_rate=learning_rate,
            samples_per_second=samples_per_second,
            tokens_per_second=tokens_per_second,
            world_size=self._scale.world_size,
        )
        self._remember(last_step=step, last_step_at=self._now(), left_in_order=False)
        self._report()

    def evaluated(self, step: int, metrics: Mapping[str, float]) -> None:
        """Held-out data was evaluated."""
        self._update(evaluation=finite(metrics))
        self._say(lines.evaluation(step, metrics))
        named = {f"eval_{name}": value for name, value in metrics.items()}
        self._metrics.write(self._now(), step=step, **named)
        self._report(urgent=True)

    def first_evaluation(self, metrics: Mapping[str, float]) -> None:
        """The baseline before the first step; remembered for the summary."""
        self._remember(first_evaluation=finite(metrics))
        self.evaluated(0, metrics)

    def measured(self, precision: Precision, figures: str) -> None:
        """The precision of this run was measured; remembered, so that it stays."""
        self._remember(precision=precision)
        self._say(f"precision: {precision}, of {figures}")

    def checkpoint(self, record: CheckpointRecord) -> None:
        """A checkpoint was sealed, or set aside."""
        records = (*self._block.checkpoints, record)[-KEPT_CHECKPOINT_RECORDS:]
        self._update(checkpoints=records)
        if record.verified:
            self._update(storage_problem=None)
        self._say(lines.checkpoint(record))
        self._report(urgent=True)

    def storage_refused(self, problem: str) -> None:
        """Something could not be saved, for lack of room or of the right."""
        if problem != self._block.storage_problem:
            self._say(problem)
        self._update(storage_problem=problem[:1024])
        self._report(urgent=True)

    def left(self, step: int) -> None:
        """The ranks stop because some worker was asked to leave."""
        self._remember(last_step=step, last_step_at=self._now(), left_in_order=True)
        self.close()

    def close(self) -> None:
        """Sends the last report."""
        self._report(urgent=True)
        if self._poster is not None:
            self._poster.close()

    def _remember(self, **changes: object) -> None:
        self.state = self.state.model_copy(update=changes)
        try:
            self.state.write(self._folder)
        except OSError as error:
            if (trouble := storage.trouble(error)) is None:
                raise
            # Without this memory a restart tells less; training does not need it.
            self.storage_refused(f"{trouble}: {error.filename or self._folder} was not written")

    def _update(self, **changes: object) -> None:
        self._block = self._block.model_copy(update=changes)

    def _report(self, *, urgent: bool = False) -> None:
        if self._poster is None:
            return
        block = self._block
        named = {
            "loss": block.loss,
            "learning_rate": block.learning_rate,
            "samples_per_second": block.samples_per_second,
            "tokens_per_second": block.tokens_per_second,
            **{f"eval_{name}": value for name, value in block.evaluation.items()},
        }
        status = TrainerStatus(
            progress_percentage=100 * block.step // max(block.total_steps, 1),
            estimated_remaining_seconds=None if self._eta is None else round(self._eta),
            metrics=tuple(
                Metric(name=name, value=f"{value:.6g}")
                for name, value in named.items()
                if value is not None
            ),
            last_updated_time=self._now(),
        )
        self._poster.submit(Report(trainer_status=status, training_run=block), urgent=urgent)

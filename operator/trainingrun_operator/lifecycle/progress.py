"""What a run's reports and last words mean for its status."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from trainingrun_operator.api.status import Checkpoints, Progress, Restarts
from trainingrun_operator.lifecycle.observed import ReceivedReport
from trainingrun_operator.lifecycle.words import duration
from trainingrun_trainer.report import (
    CheckpointRecord,
    Report,
    Restart,
    RestartCause,
    Summary,
    TerminationMessage,
)

RECENT: Final = 16
LOSS_DIGITS: Final = 4
_CHECKPOINT_FOLDER: Final = re.compile(r"checkpoint-(\d+)/?$")
# A lost or changed worker is counted as a pod; an orderly leave is charged to nobody.
_RANK_CAUSES: Final = frozenset({RestartCause.RANK_FAILED, RestartCause.RANK_HUNG})


def progress(before: Progress | None, received: ReceivedReport) -> Progress:
    """Progress as a report tells it, from our block or from Kubeflow's alone."""
    status, block = received.report.trainer_status, received.report.training_run
    now = before or Progress()
    if block is not None:
        now = Progress(
            step=block.step,
            total_steps=block.total_steps,
            epoch=block.epoch,
            loss=block.loss,
            learning_rate=block.learning_rate,
            samples_per_second=block.samples_per_second,
            tokens_per_second=block.tokens_per_second,
        )
    else:
        now = _from_metrics(now, received.report)
    eta = status.estimated_remaining_seconds
    return now.model_copy(
        update={
            "loss": None if now.loss is None else round(now.loss, LOSS_DIGITS),
            "steps": f"{now.step}/{now.total_steps}" if now.total_steps else str(now.step),
            "eta_seconds": eta,
            "eta": "" if eta is None else duration(timedelta(seconds=eta)),
            "updated_at": status.last_updated_time or received.at,
            # The operator's own clock: it is compared with the operator's own limits.
            "step_at": received.at if not before or now.step != before.step else before.step_at,
        }
    )


def finished_progress(before: Progress | None, summary: Summary, now: datetime) -> Progress:
    """Progress of a run that succeeded, whether or not its last report arrived."""
    last = before or Progress()
    total = max(last.total_steps, summary.steps)
    loss = last.loss if summary.last_loss is None else round(summary.last_loss, LOSS_DIGITS)
    return last.model_copy(
        update={
            "step": summary.steps,
            "total_steps": total,
            "steps": f"{summary.steps}/{total}",
            "loss": loss,
            "eta_seconds": 0,
            "eta": "",
            "updated_at": last.updated_at or now,
        }
    )


def evaluation(report: Report) -> Mapping[str, float]:
    """The last evaluation in a report, empty if it carries none."""
    return report.training_run.evaluation if report.training_run else {}


def restarts_reported(before: Restarts, reported: Iterable[Restart]) -> Restarts:
    """The counts with those restarts of ranks added that are newer than the newest known."""
    newest = max((r.at for r in before.recent), default=None)
    news = sorted(
        (r for r in reported if newest is None or r.at > newest), key=lambda restart: restart.at
    )
    ranks = before.ranks + sum(r.cause in _RANK_CAUSES for r in news)
    recent = (*before.recent, *news)[-RECENT:]
    return before.model_copy(
        update={"total": ranks + before.pods, "ranks": ranks, "recent": recent}
    )


def restarts_of_the_end(before: Restarts, message: TerminationMessage) -> Restarts:
    """The counts once more from a worker's last words, for reports that did not arrive."""
    return restarts_reported(before, message.restarts)


def checkpoints(
    before: Checkpoints, reported: Iterable[CheckpointRecord], keep: int | None = None
) -> Checkpoints:
    """The ledger with the reported records: one for each path, the newest verified one is good.

    Of the verified ones the trainer keeps the newest `keep`; those set aside stay.
    """
    by_path = {record.path: record for record in (*before.recent, *reported)}
    records = sorted(by_path.values(), key=lambda record: record.step)
    gone = [r for r in records if r.verified][:-keep] if keep else []
    recent = tuple(r for r in records if r not in gone)[-RECENT:]
    good = max((r for r in recent if r.verified), key=lambda r: r.step, default=None)
    if good is None:
        return before.model_copy(update={"recent": recent})
    return Checkpoints(last_good=good.step, path=good.path, recent=recent)


def checkpoint_of_the_end(before: Checkpoints, summary: Summary) -> Checkpoints:
    """The ledger with the checkpoint that the summary names, whose folder tells its step."""
    found = _CHECKPOINT_FOLDER.search(summary.checkpoint or "")
    if not found or int(found[1]) <= (before.last_good or 0):
        return before
    return before.model_copy(update={"last_good": int(found[1]), "path": summary.checkpoint})


def _from_metrics(before: Progress, report: Report) -> Progress:
    """What Transformers' KubeflowCallback sends: its names for the step, and the Trainer's log."""
    metrics = report.trainer_status.metrics
    values = {m.name: number for m in metrics if (number := _float(m.value)) is not None}
    total = int(values.get("total_steps", before.total_steps))
    percent = report.trainer_status.progress_percentage
    step = values.get("current_step")
    if step is None:
        step = before.step if percent is None or not total else total * percent // 100
    return before.model_copy(
        update={
            "step": int(step),
            "total_steps": total,
            "epoch": values.get("current_epoch", before.epoch),
            "loss": values.get("loss", before.loss),
            "learning_rate": values.get("learning_rate", before.learning_rate),
        }
    )


def _float(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None

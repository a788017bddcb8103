"""The end of a run: the finished model and the summary, written last and once."""

from __future__ import annotations

import json
import shutil
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from transformers import PreTrainedModel
from transformers.trainer import TRAINER_STATE_NAME

from trainingrun_trainer.checkpoints import resume
from trainingrun_trainer.config import RunConfig
from trainingrun_trainer.files import move_folder, write_whole
from trainingrun_trainer.report import Summary
from trainingrun_trainer.rules import Group as Fields
from trainingrun_trainer.tasks import Task
from trainingrun_trainer.worker.distributed import Group
from trainingrun_trainer.worker.progress import Account
from trainingrun_trainer.worker.start import StartingPoint
from trainingrun_trainer.worker.trainer import RunTrainer

FILE_NAME: Final = "summary.json"


class Finished(Fields):
    """A run's last word in its folder; a run with another uid is another run."""

    uid: str
    summary: Summary


def already_finished(config: RunConfig, group: Group) -> Summary | None:
    """The summary of a run that was finished before; the same on all ranks."""

    def earlier() -> str:
        try:
            text = (Path(config.folder) / FILE_NAME).read_bytes()
            finished = Finished.model_validate_json(text)
        except (OSError, ValidationError):
            return ""
        same = finished.uid == config.run.uid
        return finished.summary.model_dump_json(by_alias=True) if same else ""

    text = group.from_leader("finished", earlier)
    return Summary.model_validate_json(text) if text else None


def with_weights_of(model: PreTrainedModel, start: StartingPoint) -> PreTrainedModel:
    """The model as the last checkpoint has it, for a run that lacks only its summary."""
    loaded: PreTrainedModel = type(model).from_pretrained(start.folder, dtype=model.dtype)
    return loaded


def conclude(
    folder: Path,
    account: Account,
    training: RunTrainer,
    model: PreTrainedModel,
    task: Task,
    start: StartingPoint,
    metrics: dict[str, float],
) -> Summary:
    """Saves the model and writes the summary. For rank 0."""
    history = training.state.log_history or _saved_history(start)
    losses = [entry["loss"] for entry in history if "loss" in entry]
    account.evaluated(account.total_steps, metrics)
    _save_model(folder / "model", model, task)
    newest = next(iter(resume.folders(start.root)), None)
    began = account.state.started_at or datetime.now(UTC)
    summary = Summary(
        steps=account.total_steps,
        first_loss=losses[0] if losses else None,
        last_loss=losses[-1] if losses else None,
        evaluation=metrics,
        first_evaluation=account.state.first_evaluation,
        tokens_per_second=account.tokens_per_second,
        samples_per_second=account.samples_per_second,
        wall_seconds=(datetime.now(UTC) - began).total_seconds(),
        restarts=account.state.restart_count,
        checkpoint=str(newest) if newest is not None else None,
        model=str(folder / "model"),
    )
    finished = Finished(uid=account.state.uid, summary=summary)
    write_whole(folder / FILE_NAME, finished.model_dump_json(by_alias=True, indent=1).encode())
    account.close()
    return summary


def _save_model(target: Path, model: PreTrainedModel, task: Task) -> None:
    """Puts the model at `target` whole; one that stands there already gives way."""
    draft = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    model.save_pretrained(draft)
    task.tokenizer.save_pretrained(draft)
    if target.exists():
        shutil.rmtree(target)
    move_folder(draft, target)


def _saved_history(start: StartingPoint) -> list[dict[str, Any]]:
    if start.folder is None:
        return []
    saved = json.loads((start.folder / TRAINER_STATE_NAME).read_bytes())
    history: list[dict[str, Any]] = saved["log_history"]
    return history

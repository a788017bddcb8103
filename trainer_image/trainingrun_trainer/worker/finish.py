"""The end of a run: the finished model and the summary, written last and once."""

from __future__ import annotations

import json
import math
import shutil
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from transformers import PreTrainedModel
from transformers.trainer import TRAINER_STATE_NAME

from trainingrun_trainer.checkpoints import resume
from trainingrun_trainer.checkpoints.resume import SET_ASIDE
from trainingrun_trainer.config import RunConfig
from trainingrun_trainer.files import move, write_whole
from trainingrun_trainer.report import Summary
from trainingrun_trainer.rules import Group as Fields
from trainingrun_trainer.state import RunState
from trainingrun_trainer.tasks import Task
from trainingrun_trainer.worker.distributed import Group
from trainingrun_trainer.worker.owner import Owner
from trainingrun_trainer.worker.progress import Account, finite
from trainingrun_trainer.worker.start import StartingPoint
from trainingrun_trainer.worker.trainer import RunTrainer

FILE_NAME: Final = "summary.json"
MODEL: Final = "model"


class Finished(Fields):
    """A run's last word in its folder; a run with another uid is another run."""

    uid: str
    summary: Summary


def already_finished(config: RunConfig, group: Group, owner: Owner) -> Summary | None:
    """The summary if this run was finished before; a collective."""

    def earlier() -> str:
        summary = own_summary(Path(config.folder), owner)
        return summary.model_dump_json(by_alias=True) if summary is not None else ""

    text = group.from_leader("finished", earlier)
    return Summary.model_validate_json(text) if text else None


def own_summary(folder: Path, owner: Owner) -> Summary | None:
    """This run's summary. Another run's summary and model are set aside, so that this run's can
    take their place.

    Raises:
        OSError: they could not be moved.
    """
    try:
        finished = Finished.model_validate_json((folder / FILE_NAME).read_bytes())
    except (OSError, ValidationError):
        finished = None
    if finished is not None and owner.made(finished.uid):
        return finished.summary
    if not owner.made(RunState.read(folder).uid):
        place = folder / SET_ASIDE / f"result-{uuid.uuid4().hex[:8]}"
        for name in (MODEL, FILE_NAME):
            if (folder / name).exists():
                move(folder / name, place / name)
                print(f"{name} of an earlier run is kept as {place / name}", flush=True)
    return None


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
    """Saves the model and writes the summary. For rank 0.

    Raises:
        OSError: they could not be written.
    """
    history = training.state.log_history or _saved_history(start)
    losses = [
        entry["loss"] if math.isfinite(entry["loss"]) else None
        for entry in history
        if "loss" in entry
    ]
    if metrics:
        account.evaluated(account.total_steps, metrics)
    _save_model(folder / MODEL, model, task)
    newest = next(iter(resume.folders(start.root)), None)
    began = account.state.started_at or datetime.now(UTC)
    summary = Summary(
        steps=account.total_steps,
        first_loss=losses[0] if losses else None,
        last_loss=losses[-1] if losses else None,
        evaluation=finite(metrics),
        first_evaluation=account.state.first_evaluation,
        tokens_per_second=account.tokens_per_second,
        samples_per_second=account.samples_per_second,
        wall_seconds=(datetime.now(UTC) - began).total_seconds(),
        restarts=account.state.restart_count,
        checkpoint=str(newest) if newest is not None else None,
        model=str(folder / MODEL),
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
    move(draft, target)


def _saved_history(start: StartingPoint) -> list[dict[str, Any]]:
    if start.folder is None:
        return []
    saved = json.loads((start.folder / TRAINER_STATE_NAME).read_bytes())
    history: list[dict[str, Any]] = saved["log_history"]
    return history

"""Where training starts: from nothing, or from a checkpoint that all ranks can read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from trainingrun_trainer.checkpoints import resume
from trainingrun_trainer.checkpoints.manifest import Manifest, step_of
from trainingrun_trainer.checkpoints.verify import DamagedCheckpointError, read, verified
from trainingrun_trainer.config import ResumeFrom, RunConfig
from trainingrun_trainer.errors import UserError
from trainingrun_trainer.report import CheckpointRecord
from trainingrun_trainer.worker.distributed import Group
from trainingrun_trainer.worker.owner import Owner


class _Found(BaseModel):
    """What rank 0 tells the others; the checkpoint's folder is in `root`."""

    root: str
    manifest: Manifest


@dataclass(frozen=True)
class StartingPoint:
    """`manifest` is None when training starts from nothing; `set_aside` is known on rank 0."""

    root: Path
    manifest: Manifest | None
    set_aside: tuple[CheckpointRecord, ...] = ()
    origin: Path | None = None
    """The checkpoints of the run that the first one comes from; None for this run's own."""

    @property
    def step(self) -> int:
        return self.manifest.step if self.manifest is not None else 0

    @property
    def folder(self) -> Path | None:
        if self.manifest is None:
            return None
        return (self.origin or self.root) / f"checkpoint-{self.step}"

    @property
    def resume_path(self) -> str | None:
        return str(self.folder) if self.folder is not None else None


def starting_point(config: RunConfig, group: Group, owner: Owner) -> StartingPoint:
    """The newest verified checkpoint of this run, or the one of another run that it is to start
    from while it has none, as rank 0 finds it; a collective.

    Raises:
        UserError: the checkpoint was made with another global batch, or is not there.
    """
    root = Path(config.folder) / "checkpoints"
    found: list[CheckpointRecord] = []

    def newest() -> str:
        if config.resume.source is not ResumeFrom.LATEST:
            found.extend(without_strangers(root, owner))
        choice = resume.newest_verified(root)
        found.extend(choice.set_aside)
        if choice.manifest is None and config.resume.run is not None:
            choice = of_another_run(config)
        if choice.folder is None or choice.manifest is None:
            return ""
        return _Found(root=str(choice.folder.parent), manifest=choice.manifest).model_dump_json()

    text = group.from_leader("starting-point", newest)
    place = _Found.model_validate_json(text) if text else None
    manifest = place.manifest if place is not None else None
    origin = Path(place.root) if place is not None and Path(place.root) != root else None
    point = StartingPoint(root, manifest, tuple(found), origin)
    if manifest is None or point.folder is None:
        return point
    if not group.everyone(point.folder.is_dir()):
        if origin is not None:
            raise UserError(
                f"not all workers see {point.folder}; they need a claim that they share",
                "spec.storage.claimName",
            )
        if group.leads:
            print(
                f"checkpoint {manifest.step} is not on a claim that all workers share: "
                "training starts from step 0",
                flush=True,
            )
        return StartingPoint(root, None, tuple(found))
    if manifest.global_batch != config.training.global_batch_size:
        raise UserError(
            f"the checkpoint of step {manifest.step} was made with a global batch of "
            f"{manifest.global_batch}, now it is {config.training.global_batch_size}; "
            "set it back, or start another run",
            "spec.training.globalBatchSize",
        )
    return point


def of_another_run(config: RunConfig) -> resume.Choice:
    """The checkpoint of the run that `config.resume` names; that run's folder is only read.

    Raises:
        UserError: it has none, or none that verifies.
    """
    name, step = config.resume.run, config.resume.step
    root = Path(config.folder).parent / str(name) / "checkpoints"
    damages = []
    for folder in resume.folders(root):
        if step in (None, step_of(folder)):
            try:
                return resume.Choice(folder, verified(folder))
            except DamagedCheckpointError as damage:
                damages.append(f"{folder.name}: {damage}")
    what = f"checkpoint of step {step}" if step is not None else "checkpoint"
    why = f" ({'; '.join(damages[:3])})" if damages else ""
    raise UserError(
        f"run {name} has no whole {what} in {root}{why}; write another run or step, or from: none",
        "spec.resume.run",
    )


def without_strangers(root: Path, owner: Owner) -> list[CheckpointRecord]:
    """Sets aside every finished checkpoint that this run did not make itself; all of them, since
    a later one than ours would be taken for newer, and ours be let go in its stead.

    Raises:
        OSError: one could not be moved.
    """
    records = []
    for folder in resume.folders(root):
        try:
            uid = read(folder).run_uid
        except DamagedCheckpointError:
            continue  # whosever it was, it is not resumed from
        if not owner.made(uid):
            records.append(resume.set_aside(folder, owner.estranged(uid)))
    return records

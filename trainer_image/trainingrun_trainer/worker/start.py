"""Where training starts: from nothing, or from a checkpoint that all ranks can read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trainingrun_trainer.checkpoints import resume
from trainingrun_trainer.checkpoints.manifest import Manifest
from trainingrun_trainer.checkpoints.verify import DamagedCheckpointError, read
from trainingrun_trainer.config import RunConfig
from trainingrun_trainer.errors import UserError
from trainingrun_trainer.report import CheckpointRecord
from trainingrun_trainer.worker.distributed import Group
from trainingrun_trainer.worker.owner import Owner


@dataclass(frozen=True)
class StartingPoint:
    """`manifest` is None when training starts from nothing; `set_aside` is known on rank 0."""

    root: Path
    manifest: Manifest | None
    set_aside: tuple[CheckpointRecord, ...] = ()

    @property
    def step(self) -> int:
        return self.manifest.step if self.manifest is not None else 0

    @property
    def folder(self) -> Path | None:
        return self.root / f"checkpoint-{self.step}" if self.manifest is not None else None

    @property
    def resume_path(self) -> str | None:
        return str(self.folder) if self.folder is not None else None


def starting_point(config: RunConfig, group: Group, owner: Owner) -> StartingPoint:
    """The newest verified checkpoint of this run, as rank 0 finds it; a collective.

    Raises:
        UserError: the checkpoint was made with another global batch.
    """
    root = Path(config.folder) / "checkpoints"
    found: list[CheckpointRecord] = []

    def newest() -> str:
        found.extend(without_strangers(root, owner))
        choice = resume.newest_verified(root)
        found.extend(choice.set_aside)
        return choice.manifest.model_dump_json(by_alias=True) if choice.manifest else ""

    text = group.from_leader("starting-point", newest)
    manifest = Manifest.model_validate_json(text) if text else None
    point = StartingPoint(root, manifest, tuple(found))
    if manifest is None or point.folder is None:
        return point
    if not group.everyone(point.folder.is_dir()):
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

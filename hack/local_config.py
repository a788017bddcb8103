"""The sample TrainingRun as a RunConfig for one worker on this machine."""

import sys
from pathlib import Path

import yaml

from trainingrun_operator.api.v1alpha1 import KIND, TrainingRun
from trainingrun_trainer.config import Processes, RunConfig, RunIdentity


def run_config(run: TrainingRun, folder: Path) -> RunConfig:
    """What defines the training is the sample's; only the shape of the job is local."""
    spec = run.spec
    return RunConfig(
        run=RunIdentity(name=run.metadata.name),
        folder=str(folder.resolve()),
        task=spec.task,
        model=spec.model,
        data=spec.data,
        training=spec.training,
        checkpoints=spec.checkpoints,
        evaluation=spec.evaluation,
        resume=spec.resume,
        processes=Processes(),
    )


def sample(path: Path) -> TrainingRun:
    """The TrainingRun among a file's documents."""
    documents = yaml.safe_load_all(path.read_text())
    return TrainingRun.parse(next(d for d in documents if d and d["kind"] == KIND))


if __name__ == "__main__":
    source, runs, target = map(Path, sys.argv[1:])
    target.write_text(run_config(sample(source), runs).to_json())

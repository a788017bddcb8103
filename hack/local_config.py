"""The sample TrainingRun as a RunConfig for one worker on this machine."""

import sys
from pathlib import Path

import yaml

from trainingrun_operator.api.v1alpha1 import KIND, TrainingRun
from trainingrun_operator.plan import Settings, launch_plan
from trainingrun_trainer.config import Cpu, Processes, RunConfig


def run_config(run: TrainingRun, folder: Path) -> RunConfig:
    """What the operator would tell the trainer, but for one worker and a folder of this machine."""
    planned = launch_plan(run, Settings(image_cpu="none")).config
    return planned.model_copy(
        update={"folder": str(folder.resolve()), "processes": Processes(), "cpu": Cpu()}
    )


def sample(path: Path) -> TrainingRun:
    """The TrainingRun among a file's documents."""
    documents = yaml.safe_load_all(path.read_text())
    return TrainingRun.parse(next(d for d in documents if d and d["kind"] == KIND))


if __name__ == "__main__":
    source, runs, target = map(Path, sys.argv[1:])
    target.write_text(run_config(sample(source), runs).to_json())

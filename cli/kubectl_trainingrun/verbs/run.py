"""`run`: a TrainingRun on this machine, by the launcher that its pods would run."""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from kubectl_trainingrun.exits import Exit, RefusedError
from kubectl_trainingrun.files import Reader
from kubectl_trainingrun.options import Verbs, add_files, verb
from trainingrun_operator.plan import LaunchPlan
from trainingrun_trainer.config import AnyConfig, Cpu, Processes

CONFIG: Final = "run.json"
MESSAGE: Final = "termination.json"
"""What would be the pod's termination message: the summary, or why the run failed."""


def add(verbs: Verbs) -> None:
    parser = verb(verbs, "run", _run, "train on this machine, without a cluster")
    add_files(parser)
    parser.add_argument("--processes", type=int, default=1, metavar="N", help="ranks (default: 1)")
    parser.add_argument(
        "--folder", type=Path, help="for checkpoints and the model (default: runs/NAME)"
    )


def run_config(plan: LaunchPlan, folder: Path) -> AnyConfig:
    """What the operator would tell the trainer, but for one worker and a folder of this machine."""
    # Without a uid, what lies in the folder is this run's own (`trainingrun_trainer.worker.owner`).
    run = plan.config.run.model_copy(update={"uid": ""})
    local = {"run": run, "folder": str(folder.resolve()), "processes": Processes(), "cpu": Cpu()}
    return plan.config.model_copy(update=local)


def _run(options: argparse.Namespace) -> int:
    if importlib.util.find_spec("torch") is None:
        raise RefusedError("training here needs the trainer's libraries: pip install '.[trainer]'")
    reader = Reader(options.filename)
    plans = [plan for _, plan in reader.plans()]
    if reader.found:
        return Exit.REFUSED
    if len(plans) > 1:
        raise RefusedError("the files hold several TrainingRuns; give one of them")
    [plan] = plans
    folder = options.folder or Path("runs") / plan.name
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / CONFIG
    config.write_text(run_config(plan, folder).to_json(), encoding="utf-8")
    command = [sys.executable, "-m", "trainingrun_trainer", "--config", str(config)]
    command.append(f"--processes={options.processes}")
    message = str(folder / MESSAGE)
    environment = {**os.environ, "TRAININGRUN_TERMINATION_LOG": message}
    return subprocess.run(command, check=False, env=environment).returncode

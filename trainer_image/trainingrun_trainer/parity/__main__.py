"""`python -m trainingrun_trainer.parity`: trains one small model stock and with IPEX, over gloo and
over ccl, with 1 and 2 ranks, and prints a table.

Exit status 1 if one of the ways that this image has comes to other losses.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from trainingrun_trainer.checkpoints import resume
from trainingrun_trainer.config import BackendName, Ipex, Precision, RunConfig
from trainingrun_trainer.parity.ways import WAYS, Trained, Way, compared, in_columns, same
from trainingrun_trainer.report import TerminationMessage
from trainingrun_trainer.worker.backends import CCL_BINDING
from trainingrun_trainer.worker.ipex import MODULE as IPEX_MODULE

STEPS: Final = 40
LOGGED_EVERY: Final = 5
_OF_A_WORKER: Final = ("PET_", "KUBEFLOW_", "TRAININGRUN_WORKER", "MASTER_", "RANK", "WORLD_SIZE")
"""What a pod's environment tells a worker of a run of its own."""


def main(arguments: list[str]) -> int:
    """Trains every way there is and prints the table; 0 if all came to the same, else 1."""
    parser = argparse.ArgumentParser(prog="trainingrun_trainer.parity", description=__doc__)
    parser.add_argument("--steps", type=int, default=STEPS, help="optimiser steps (%(default)s)")
    parser.add_argument(
        "--precision",
        type=Precision,
        choices=(Precision.FLOAT32, Precision.BFLOAT16),
        default=Precision.BFLOAT16,
        help="arithmetic of all ways (%(default)s); weights are float32 in any case",
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="parity-") as name:
        folder = Path(name)
        write_texts(folder / "texts")
        trained: dict[Way, Trained] = {}
        for way in WAYS:
            print(f"{way.name} ...", file=sys.stderr, flush=True)
            missing = _missing(way)
            trained[way] = (
                Trained({}, obstacle=missing)
                if missing
                else train(config(way, options.steps, options.precision, folder))
            )
    print(in_columns(compared(trained)))
    return 0 if same(trained) else 1


def config(way: Way, steps: int, precision: Precision, folder: Path) -> RunConfig:
    """The run of a way: a small Llama, AdamW, the same samples in the same order for all."""
    return RunConfig.model_validate(
        {
            "run": {"name": "parity"},
            "folder": str(folder / f"{way.ipex}-{way.backend}-{way.ranks}"),
            "task": {"type": "causal-lm", "blockSize": 64},
            "model": {
                "fromScratch": {"hiddenSize": 64, "layers": 2, "attentionHeads": 4},
                "tokenizer": {"train": {"vocabSize": 400, "sampleMegabytes": 1}},
            },
            "data": {"train": str(folder / "texts")},
            "training": {
                "globalBatchSize": 16,
                "maxSteps": steps,
                "learningRate": 1e-3,
                "loggingSteps": LOGGED_EVERY,
                "precision": precision,
            },
            "checkpoints": {"everySteps": steps},
            "processes": {"perWorker": way.ranks, "maxRestarts": 0},
            "communication": {"backend": way.backend, "required": True},
            "cpu": {"ipex": way.ipex},
        }
    )


def train(run: RunConfig) -> Trained:
    """What comes of a run under the launcher, as in a pod."""
    folder = Path(run.folder)
    folder.mkdir()
    path, end = folder / "run.json", folder / "termination.json"
    path.write_text(run.to_json())
    done = subprocess.run(
        [sys.executable, "-m", "trainingrun_trainer", "--config", str(path)],
        env={**alone(os.environ), "TRAININGRUN_TERMINATION_LOG": str(end)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    message = TerminationMessage.model_validate_json(end.read_bytes())
    if message.summary is None:
        print(done.stdout, file=sys.stderr)
        return Trained({}, obstacle=message.failure.message if message.failure else "it failed")
    return Trained(losses(folder), message.summary.samples_per_second)


def losses(folder: Path) -> dict[int, float]:
    """The logged losses by step, as the last checkpoint of a run remembers them."""
    newest = resume.folders(folder / "checkpoints")[0]
    state = json.loads((newest / "trainer_state.json").read_text())
    return {entry["step"]: entry["loss"] for entry in state["log_history"] if "loss" in entry}


def alone(env: Mapping[str, str]) -> dict[str, str]:
    """The environment less what would make a worker of another run of this process."""
    return {name: value for name, value in env.items() if not name.startswith(_OF_A_WORKER)}


def write_texts(folder: Path) -> None:
    """Texts that a small model can learn something from."""
    folder.mkdir()
    for number in range(20):
        lines = (f"{n} plus {number} is {n + number}, times it {n * number}\n" for n in range(80))
        (folder / f"{number}.txt").write_text("".join(lines))


def _missing(way: Way) -> str:
    """What this image lacks for it, without a run that would say the same."""
    needed = (
        *([CCL_BINDING] if way.backend is BackendName.CCL else []),
        *([IPEX_MODULE] if way.ipex is not Ipex.OFF else []),
    )
    absent = [name for name in needed if importlib.util.find_spec(name) is None]
    return f"no module {' and no module '.join(absent)}" if absent else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

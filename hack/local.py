"""`make local`: the sample through the same launcher, with 2 ranks on this machine, no cluster."""

import json
import os
import shutil
import subprocess
from typing import Final

from hack import closing_table
from hack.environment import ROOT, VENV

SAMPLE: Final = ROOT / "manifests" / "samples" / "python-lm.yaml"
RUNS: Final = ROOT / "runs"
RANKS: Final = 2


def main() -> int:
    """Train the sample; prints its log, then a table. The launcher's exit code is ours."""
    python = VENV / "bin" / "python"
    folder = RUNS / "python-lm"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    config, message = folder / "run.json", folder / "termination.json"
    # In the virtual environment's Python: this one may lack the libraries that parse the sample.
    subprocess.run(
        [python, "-m", "hack.local_config", SAMPLE, folder, config], check=True, cwd=ROOT
    )
    code = subprocess.run(
        [python, "-m", "trainingrun_trainer", "--config", config, "--processes", str(RANKS)],
        check=False,
        cwd=ROOT,
        env={**os.environ, "TRAININGRUN_TERMINATION_LOG": str(message)},
    ).returncode
    if code == 0:
        end = json.loads(message.read_text())
        print(closing_table.render(closing_table.rows(end["summary"], end.get("restartCount", 0))))
    return code

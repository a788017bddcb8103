"""`make local`: the sample through the same launcher, with 2 ranks on this machine, no cluster."""

import json
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
    folder = RUNS / "python-lm"
    shutil.rmtree(folder, ignore_errors=True)
    # In the virtual environment's Python: this one may lack the libraries that parse the sample.
    plugin = (VENV / "bin" / "python", "-m", "kubectl_trainingrun")
    words = ("run", "-f", SAMPLE, "--folder", folder, f"--processes={RANKS}")
    code = subprocess.run((*plugin, *words), check=False, cwd=ROOT).returncode
    if code == 0:
        end = json.loads((folder / "termination.json").read_text())
        print(closing_table.render(closing_table.rows(end["summary"], end.get("restartCount", 0))))
    return code

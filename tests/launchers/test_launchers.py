"""The commands of docs/other-launchers.md, as they stand there."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from hack import launchers
from hack.environment import ROOT, VENV
from tests.ranks.runs import changed, losses, small_run, write_texts
from trainingrun_trainer.checkpoints import resume

pytestmark = pytest.mark.timeout(240)
ROW = re.compile(r"^\| (?P<launcher>\w+.*?) \| `(?P<command>.* --config run\.json)` \|$", re.M)
COMMANDS = ROW.findall((ROOT / "docs" / "other-launchers.md").read_text())


@pytest.fixture(scope="session")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_texts(tmp_path_factory.mktemp("texts"))


@pytest.fixture(scope="session")
def logged() -> dict[str, dict[int, float]]:
    """The losses of each launcher so far."""
    return {}


def environment(launcher: str) -> dict[str, str]:
    """What a user of the launcher has set; our environment's own programs come first."""
    intel = [str(launchers.intel_mpi())] if launcher.startswith("Intel") else []
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    path = os.pathsep.join([str(VENV / "bin"), *intel, os.environ["PATH"]])
    return {**os.environ, "PATH": path, **(root if launcher.startswith("Open") else {})}


def test_every_launcher_is_documented() -> None:
    assert [launcher.split(" ")[0] for launcher, _ in COMMANDS] == [
        *("torchrun", "Intel", "Open", "accelerate")
    ]


@pytest.mark.parametrize(("launcher", "command"), COMMANDS, ids=lambda text: text.split(" (")[0])
def test_two_ranks_come_to_the_same_losses(
    launcher: str, command: str, tmp_path: Path, texts: Path, logged: dict[str, dict[int, float]]
) -> None:
    config = changed(small_run(tmp_path / "run", texts), training={"maxSteps": 20})
    (tmp_path / "run.json").write_text(config.to_json())
    done = subprocess.run(
        shlex.split(command),
        env=environment(launcher),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    newest = resume.folders(tmp_path / "run" / "checkpoints")[0]
    assert json.loads((newest / "manifest.json").read_text())["worldSize"] == 2
    logged[launcher] = losses(config)
    assert set(logged[launcher]) == {1, 5, 10, 15, 20}
    assert logged[launcher] == next(iter(logged.values()))

"""`run`: what the launcher is told on this machine."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from kubectl_trainingrun.main import main
from trainingrun_trainer.config import RunConfig

SAMPLE = Path(__file__).parents[3] / "manifests" / "samples" / "python-lm.yaml"


def test_the_launcher_gets_the_plan_for_one_worker_and_a_folder_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[Any] = []

    def launched(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        asked.extend(command)
        return subprocess.CompletedProcess(command, 64)

    monkeypatch.setattr(subprocess, "run", launched)

    code = main(["run", "-f", str(SAMPLE), "--folder", str(tmp_path), "--processes=2"])

    assert code == 64
    assert asked[1:3] == ["-m", "trainingrun_trainer"]
    assert asked[-1] == "--processes=2"
    config = RunConfig.model_validate_json((tmp_path / "run.json").read_text())
    assert config.folder == str(tmp_path)
    assert config.run.uid == ""
    assert config.training.global_batch_size == 24

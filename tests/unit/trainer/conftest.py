"""Runs of the real launcher, small enough for a test."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.trainer.launched import Launched
from trainingrun_trainer.config import RunConfig

Launch = Callable[..., Launched]


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """Twenty little texts that a model can learn something from."""
    folder = tmp_path / "texts"
    folder.mkdir()
    for number in range(20):
        lines = (f"line {n}: {n} plus {number} is {n + number}\n" for n in range(60))
        (folder / f"{number}.txt").write_text("".join(lines))
    return folder


@pytest.fixture
def config(tmp_path: Path, texts: Path) -> RunConfig:
    """A run of 40 steps and two ranks, a checkpoint every 10."""
    return RunConfig.model_validate(
        {
            "run": {"name": "test", "uid": "uid-1"},
            "folder": str(tmp_path / "run"),
            "task": {"type": "causal-lm", "blockSize": 32},
            "model": {
                "fromScratch": {"hiddenSize": 32, "layers": 1, "attentionHeads": 2},
                "tokenizer": {"train": {"vocabSize": 320, "sampleMegabytes": 1}},
            },
            "data": {"train": str(texts), "evaluationPercent": 20},
            "training": {
                "globalBatchSize": 8,
                "maxSteps": 40,
                "learningRate": 1e-3,
                "loggingSteps": 5,
            },
            "checkpoints": {"everySteps": 10, "keep": 3},
            "processes": {"perWorker": 2, "maxRestarts": 3},
            "communication": {"timeoutSeconds": 30},
        }
    )


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Starts launchers; what is left of them at the end of the test is killed."""
    started: list[Launched] = []

    def start(config: RunConfig, **env: str) -> Launched:
        number = len(started)
        path = tmp_path / f"run-{number}.json"
        path.write_text(json.dumps(config.model_dump(mode="json", by_alias=True)))
        started.append(Launched(path, tmp_path / f"termination-{number}", env))
        return started[-1]

    yield start
    for launched in started:
        launched.kill()

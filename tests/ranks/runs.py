"""Configs of small runs, and what they leave behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from trainingrun_trainer.checkpoints import resume
from trainingrun_trainer.config import RunConfig


def write_texts(folder: Path) -> Path:
    """Twenty little texts; the folder."""
    for number in range(20):
        lines = (f"line {n}: {n} plus {number} is {n + number}\n" for n in range(60))
        (folder / f"{number}.txt").write_text("".join(lines))
    return folder


def small_run(folder: Path, texts: Path) -> RunConfig:
    """Forty steps of two ranks in one worker, a checkpoint every 10, a fifth held out."""
    return RunConfig.model_validate(
        {
            "run": {"name": "test", "uid": "uid-1"},
            "folder": str(folder),
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
            "evaluation": {"atStart": True},
            "processes": {"perWorker": 2, "maxRestarts": 3},
            "communication": {"timeoutSeconds": 30},
        }
    )


def of_two_workers(config: RunConfig, steps: int) -> RunConfig:
    """The run with one rank in each of two workers. It waits for both: how long one of them takes
    to start on a busy machine then changes nothing."""
    return changed(
        config,
        training={"maxSteps": steps},
        processes={"perWorker": 1, "workers": 2, "minWorkers": 2, "maxWorkers": 2},
    )


def changed(config: RunConfig, **groups: dict[str, Any] | str) -> RunConfig:
    """The config with some fields of some groups changed, by their camelCase names."""
    document = config.model_dump(mode="json", by_alias=True)
    for group, change in groups.items():
        document[group] = {**document[group], **change} if isinstance(change, dict) else change
    return RunConfig.model_validate(document)


def losses(config: RunConfig) -> dict[int, float]:
    """The logged losses by step, as the last checkpoint remembers them."""
    newest = resume.folders(Path(config.folder) / "checkpoints")[0]
    history: list[dict[str, Any]] = json.loads((newest / "trainer_state.json").read_text())[
        "log_history"
    ]
    return {entry["step"]: entry["loss"] for entry in history if "loss" in entry}

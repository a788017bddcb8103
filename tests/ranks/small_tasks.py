"""Every task at a size of seconds, by one rank and by two."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from tests.ranks import in_turn
from tests.ranks.in_turn import Trained
from trainingrun_trainer.config import RunConfig

Seen = dict[int, dict[str, Trained]]
"""What was seen of each run, by the number of ranks and the run's name."""

STEPS = 6
TOLERANCE = 1e-4
"""Sums in another order: the same in single precision but for the last digits."""

TASKS: dict[str, tuple[str, str, dict[str, Any]]] = {
    # Name of the run: task, architecture, settings
    "questions": (
        "question-answering", "bert", {"blockSize": 64, "stride": 8, "unanswerable": True}
    ),
    "labels": ("text-classification", "bert", {"blockSize": 48}),
    "tags": ("token-classification", "bert", {"blockSize": 48}),
    "gaps": ("masked-lm", "bert", {"blockSize": 32}),
    "words": ("seq2seq", "bart", {"blockSize": 16, "maxTargetTokens": 16}),
    "blocks": ("causal-lm", "llama", {"blockSize": 32}),
    "instructions": (
        "causal-lm", "llama", {"blockSize": 96, "packing": "separate", "lossOn": "completion"}
    ),
}  # fmt: skip
FILES = {
    "labels": "[hl][to]*/*.py",
    "gaps": "json/*.py",
    "blocks": "json/*.py",
}


def small(name: str, folder: Path) -> RunConfig:
    """Steps enough to see losses differ, of a model small enough for a busy machine."""
    task, architecture, settings = TASKS[name]
    return RunConfig.model_validate(
        {
            "run": {"name": name},
            "folder": str(folder / name),
            "task": {"type": task, **settings},
            "model": {
                "fromScratch": {
                    "modelType": architecture,
                    "hiddenSize": 32,
                    "layers": 1,
                    "attentionHeads": 2,
                },
                "tokenizer": {"train": {"vocabSize": 400, "sampleMegabytes": 1}},
            },
            "data": {
                "train": "builtin://python-stdlib",
                "files": FILES.get(name, "json/*.py"),
                "evaluationPercent": 20,
                "maxMegabytes": 1,
            },
            "training": {
                # By one rank in a pass of 8, by two in passes of 4: other sums, other padding.
                "globalBatchSize": 8,
                "maxSteps": STEPS,
                "learningRate": 3e-3,
                "schedule": {"type": "constant"},
                "loggingSteps": 1,
                "precision": "float32",
            },
        }
    )


def trained(names: Collection[str], folder: Path) -> Seen:
    """These runs by one rank and by two, each in a folder of its own."""
    found = {}
    for ranks in (1, 2):
        configs = {name: small(name, folder / f"by-{ranks}") for name in names}
        found[ranks] = in_turn.train(configs, ranks, folder / f"seen-{ranks}")
    return found


def check_the_same(name: str, seen: Seen) -> None:
    """Prints the losses of a run side by side.

    Raises:
        AssertionError: they, or what the evaluations said, differ by more than rounding.
    """
    one, two = (seen[ranks][name] for ranks in (1, 2))
    print(f"\n{name}\nstep  1 rank    2 ranks   difference")
    for step, (alone, together) in enumerate(zip(one.losses, two.losses, strict=True), start=1):
        print(f"{step:4}  {alone:8.6f}  {together:8.6f}  {abs(alone - together):.1e}")
    assert len(one.losses) == STEPS
    assert two.losses == pytest.approx(one.losses, rel=TOLERANCE)
    assert two.before == pytest.approx(one.before, rel=TOLERANCE)
    assert two.after["loss"] == pytest.approx(one.after["loss"], rel=TOLERANCE)
    assert two.after["loss"] < two.before["loss"]

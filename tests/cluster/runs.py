"""TrainingRuns for the tests: real, and small enough for two cores."""

from __future__ import annotations

from typing import Any

CLAIM = "training-data"


def claim() -> dict[str, Any]:
    """A claim on the folder that all nodes share."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": CLAIM},
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "storageClassName": "shared",
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }


def training_run(name: str, steps: int = 60, **spec: Any) -> dict[str, Any]:
    """A small model on real text: about ten steps a second with two workers of nearly a CPU each.

    `spec` replaces whole groups.
    """
    return {
        "apiVersion": "trainingrun.io/v1alpha1",
        "kind": "TrainingRun",
        "metadata": {"name": name},
        "spec": {
            "task": {"type": "causal-lm", "blockSize": 128},
            "model": {
                "fromScratch": {"hiddenSize": 128, "layers": 2, "attentionHeads": 4},
                "tokenizer": {"train": {"vocabSize": 512, "sampleMegabytes": 1}},
            },
            "data": {
                "train": "builtin://python-stdlib",
                "files": "json/*.py",
                "evaluationPercent": 20,
            },
            "training": {
                "globalBatchSize": 8,
                "maxSteps": steps,
                "learningRate": 1e-3,
                "loggingSteps": 5,
            },
            "workers": {
                "count": 2,
                "elastic": {"min": 1, "max": 2},
                "resources": {"cpu": "900m", "memory": "1500Mi"},
            },
            "checkpoints": {"everySteps": 20, "keep": 2},
            "storage": {"claimName": CLAIM},
            **spec,
        },
    }

"""TrainingRuns as tests write them."""

from __future__ import annotations

from typing import Any

CLAIM = "training-data"

Object = dict[str, Any]


def training_run(name: str = "squad", **spec: Any) -> Object:
    """A valid run of two workers; `spec` replaces whole groups."""
    return {
        "apiVersion": "trainingrun.io/v1alpha1",
        "kind": "TrainingRun",
        "metadata": {"name": name},
        "spec": {
            "task": {"type": "causal-lm"},
            "model": {"fromScratch": {}, "tokenizer": {"train": {}}},
            "data": {"train": "builtin://python-stdlib"},
            "training": {"globalBatchSize": 16, "maxSteps": 40},
            "workers": {"count": 2, "elastic": {"min": 1, "max": 2}},
            "storage": {"claimName": CLAIM},
            **spec,
        },
    }

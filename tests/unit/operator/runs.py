"""TrainingRuns for tests, as a user writes them."""

from __future__ import annotations

from typing import Any

from trainingrun_operator.api.v1alpha1 import TrainingRun
from trainingrun_operator.plan import Settings

SETTINGS = Settings(
    image_cpu="registry.example.org/trainer:1", progress_url="https://operator.system.svc:8443"
)


def manifest(**spec: Any) -> dict[str, Any]:
    """A small valid run; `spec` replaces whole groups."""
    return {
        "apiVersion": "trainingrun.io/v1alpha1",
        "kind": "TrainingRun",
        "metadata": {"name": "run", "namespace": "research", "uid": "uid-1"},
        "spec": {
            "task": {"type": "causal-lm"},
            "model": {"name": "organisation/model"},
            "data": {"train": "/data/text"},
            "training": {"maxSteps": 100, "globalBatchSize": 24},
            "storage": {"claimName": "training-data"},
            **spec,
        },
    }


def run(**spec: Any) -> TrainingRun:
    """The same, typed."""
    return TrainingRun.parse(manifest(**spec))

"""A cluster in memory for the plugin's verbs, and objects as the API server gives them."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kubectl_trainingrun.cluster import RUNS, ForbiddenError, NotFoundError, Object
from trainingrun_operator.api.history import DATA_KEY, History


@dataclass
class FakeCluster:
    """Objects by kind and name; what is asked of it is noted."""

    objects: dict[str, dict[str, Object]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    forbidden: set[str] = field(default_factory=set)
    patches: list[tuple[str, Object]] = field(default_factory=list)
    states: list[Object] = field(default_factory=list)
    """What a watch shows, one after the other."""

    def add(self, kind: str, raw: Object) -> None:
        self.objects.setdefault(kind, {})[raw["metadata"]["name"]] = raw

    def get(self, kind: str, name: str) -> Object:
        if kind in self.forbidden:
            raise ForbiddenError(f"{kind} are forbidden")
        try:
            return copy.deepcopy(self.objects[kind][name])
        except KeyError:
            raise NotFoundError(f'{kind} "{name}" not found') from None

    def select(self, kind: str, *, selector: str = "", everywhere: bool = False) -> list[Object]:
        if kind in self.forbidden:
            raise ForbiddenError(f"{kind} are forbidden")
        wanted = dict(pair.split("=") for pair in selector.split(",") if pair)
        return [
            raw
            for raw in self.objects.get(kind, {}).values()
            if wanted.items() <= (raw["metadata"].get("labels") or {}).items()
        ]

    def create(self, manifest: Mapping[str, Any]) -> Object:
        made = {**manifest, "metadata": {"namespace": "ml", **manifest["metadata"]}}
        self.add(RUNS, made)
        return made

    def patch(self, kind: str, name: str, patch: Mapping[str, Any]) -> None:
        self.patches.append((name, dict(patch)))

    def logs(self, pod: str, *, tail: int) -> list[str]:
        return self.lines[-tail:]

    def watch(self, kind: str, name: str) -> Iterator[Object]:
        yield from self.states


def run(phase: str | None = None, spec: Object | None = None, **status: Any) -> Object:
    """A run named squad."""
    return {
        "metadata": {
            "name": "squad",
            "namespace": "ml",
            "uid": "uid-1",
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": spec or {"storage": {"claimName": "data"}, "workers": {"count": 2}},
        "status": ({"phase": phase} if phase else {}) | status,
    }


def condition(kind: str, status: str, reason: str, message: str = "") -> Object:
    """One condition of a status."""
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }


def history(name: str = "squad", **parts: Any) -> Object:
    """The ConfigMap with a run's history: a loss that halves, one restart, two checkpoints."""
    points = [(60 * n, 10 * n, 8 / 2**n, 1e-3, 100.0 + n, 2) for n in range(1, 6)]
    points.insert(3, (200, 25, 3.0, 1e-3, 90.0, 1))
    kept = {
        "points": points,
        "restarts": [("2026-01-01T00:03:10Z", "RankFailed", 30, 20, 4.5)],
        "checkpoints": [20, 40],
        **parts,
    }
    text = History.model_validate(kept).model_dump_json(by_alias=True)
    return {"metadata": {"name": f"{name}-history"}, "data": {DATA_KEY: text}}


def claim(phase: str) -> Object:
    """The claim that `run` names."""
    return {"metadata": {"name": "data"}, "status": {"phase": phase}}


def pod(index: int = 0, *, state: Object | None = None, **status: Any) -> Object:
    """A worker's pod; `state` is that of its container."""
    name = f"squad-worker-{index}"
    labels = {"trainingrun.io/run": "squad", "training.kubeflow.org/replica-index": str(index)}
    containers = [{"name": "pytorch", "image": "trainer:1", "state": state or {"running": {}}}]
    return {
        "metadata": {"name": name, "uid": name, "labels": labels},
        "spec": {"containers": [{"name": "pytorch", "image": "trainer:1"}]},
        "status": {"phase": "Running", "containerStatuses": containers, **status},
    }


def deployment(selector: str, available: int) -> Object:
    """A controller's Deployment with these labels."""
    name, value = selector.split("=")
    return {
        "metadata": {"name": value, "labels": {name: value}},
        "status": {"availableReplicas": available},
    }

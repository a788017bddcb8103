"""Runs for pictures: a cluster in memory with one run that trains and lost a rank, and others."""

import math
import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from kubectl_trainingrun.cluster import RUNS, ForbiddenError, NotFoundError, Object
from kubectl_trainingrun.doctor.gather import OPERATOR, TRAINING_OPERATOR
from trainingrun_operator.api.history import DATA_KEY, History, Point, config_map_name

NAMESPACE: Final = "research"
STEPS, TOTAL = 620, 1000
SECONDS_A_STEP: Final = 1.4
LOST_AT, RESUMED_AT = 340, 300
EVERY: Final = 100


NO_NODE: Final = "0/3 nodes are available: 3 Insufficient memory."
UNSCHEDULABLE: Final[Object] = {
    "phase": "Pending",
    "conditions": [
        {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": NO_NODE,
        }
    ],
}


class StagedCluster:
    """`Cluster` for reading."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        began = now - timedelta(seconds=STEPS * SECONDS_A_STEP + 75)
        running = _run("python-lm", began, _training(now))
        done = _run("python-lm-small", began - timedelta(hours=3), _succeeded())
        stuck = _run("python-lm-large", now - timedelta(minutes=4), _stuck(now))
        histories = (_history("python-lm", now, 0.0), _history("python-lm-small", now, 0.35))
        self._objects: dict[str, list[Object]] = {
            RUNS: [running, done, stuck],
            "configmaps": list(histories),
            "pods": [
                *(_pod("python-lm", index, {"phase": "Running"}) for index in range(2)),
                *(_pod("python-lm-large", index, UNSCHEDULABLE) for index in range(2)),
            ],
            "pytorchjobs.kubeflow.org": [{"metadata": {"name": "python-lm-large", "uid": "job"}}],
            "persistentvolumeclaims": [
                {"metadata": {"name": "training-data"}, "status": {"phase": "Bound"}}
            ],
            "events": [_event(now, "Normal", "WorkersRunning", "2 of 2 workers run")],
            "nodes": [
                {
                    "metadata": {"name": f"node-{number}"},
                    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
                }
                for number in range(3)
            ],
            "deployments.apps": [_up(OPERATOR), _up(TRAINING_OPERATOR)],
        }

    def get(self, kind: str, name: str) -> Object:
        for raw in self._objects.get(kind, ()):
            if raw["metadata"]["name"] == name:
                return raw
        raise NotFoundError(f'{kind} "{name}" not found')

    def select(self, kind: str, *, selector: str = "", everywhere: bool = False) -> list[Object]:
        wanted = dict(pair.split("=") for pair in selector.split(",") if pair)
        return [
            raw
            for raw in self._objects.get(kind, ())
            if wanted.items() <= (raw["metadata"].get("labels") or {}).items()
        ]

    def logs(self, pod: str, *, tail: int) -> list[str]:
        if pod != "python-lm-worker-0":
            return []
        return [
            f"step {step:>4}/{TOTAL}  loss {_loss(step, 0):.3f}  lr 5.0e-04  17.1 samples/s  "
            f"2191 tokens/s  eta {math.ceil((TOTAL - step) * SECONDS_A_STEP / 60)}m"
            for step in range(STEPS - 150, STEPS + 1, 10)
        ]

    def create(self, manifest: Mapping[str, Any]) -> Object:
        raise ForbiddenError("staged runs are only looked at")

    def patch(self, kind: str, name: str, patch: Mapping[str, Any]) -> None:
        raise ForbiddenError("staged runs are only looked at")

    def watch(self, kind: str, name: str) -> Iterator[Object]:
        yield self.get(kind, name)


def _loss(step: int, offset: float) -> float:
    return 3.1 + offset + 4.6 * math.exp(-step / 130) + _noise(step, 0.08)


def _noise(step: int, most: float) -> float:
    """The same for the same step, so that a picture changes only with what it shows."""
    return random.Random(step).uniform(-most, most)  # noqa: S311 - a picture, no secret


def _history(name: str, now: datetime, offset: float) -> Object:
    smooth = range(5, STEPS + 1, 5)
    steps = smooth if offset else [*range(5, LOST_AT + 1, 5), *range(RESUMED_AT + 5, STEPS + 1, 5)]
    points = []
    for index, step in enumerate(steps):
        alone = not offset and LOST_AT < step < LOST_AT + 60
        point = Point(
            at=round(now.timestamp()) - round((len(steps) - index) * 5 * SECONDS_A_STEP),
            step=step,
            loss=round(_loss(step, offset), 4),
            learning_rate=5e-4,
            samples_per_second=round((9.2 if alone else 17.1) + _noise(step, 0.5), 2),
            world_size=1 if alone else 2,
        )
        points.append(point)
    history = History.model_validate(
        {
            "points": points,
            "restarts": [_mark(now)] if not offset else [],
            "checkpoints": list(range(EVERY, STEPS + 1, EVERY)),
        }
    )
    return {
        "metadata": {"name": config_map_name(name)},
        "data": {DATA_KEY: history.model_dump_json(by_alias=True)},
    }


def _mark(now: datetime) -> tuple[str, str, int, int, float]:
    return (_text(now - timedelta(minutes=7)), "WorkerLost", LOST_AT, RESUMED_AT, 6.2)


def _run(name: str, began: datetime, status: Object) -> Object:
    return {
        "apiVersion": "trainingrun.io/v1alpha1",
        "kind": "TrainingRun",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "uid": name,
            "creationTimestamp": _text(began),
        },
        "spec": {"storage": {"claimName": "training-data"}, "workers": {"count": 2}},
        "status": status,
    }


def _training(now: datetime) -> Object:
    return {
        "phase": "Running",
        "message": "2 of 2 workers run",
        "conditions": [
            _condition(now, "Accepted", "True", "Valid", "the spec can be carried out"),
            _condition(now, "JobCreated", "True", "JobCreated", "PyTorchJob python-lm is made"),
            _condition(now, "Running", "True", "WorkersRunning", "2 of 2 workers run"),
            _condition(now, "Progressing", "True", "Training", "the run reports progress"),
        ],
        "plan": [
            {"name": "ranks", "value": "2", "reason": "2 workers with 1 process each"},
            {"name": "threads", "value": "4", "reason": "4 CPUs of each worker for 1 process"},
            {"name": "accumulation", "value": "2", "reason": "24 samples / (6 each x 2 ranks)"},
            {"name": "backend", "value": "gloo", "reason": "the CPU runtime has gloo"},
        ],
        "progress": {
            "step": STEPS,
            "totalSteps": TOTAL,
            "steps": f"{STEPS}/{TOTAL}",
            "loss": round(_loss(STEPS, 0), 4),
            "samplesPerSecond": 17.1,
            "eta": "9m",
            "updatedAt": _text(now - timedelta(seconds=3)),
            "stepAt": _text(now - timedelta(seconds=3)),
        },
        "workers": {"desired": 2, "running": 2, "summary": "2/2"},
        "restarts": {
            "total": 1,
            "pods": 1,
            "recent": [
                {
                    "at": _text(now - timedelta(minutes=7)),
                    "cause": "WorkerLost",
                    "detail": "worker 1 is gone",
                    "fromStep": LOST_AT,
                    "resumedStep": RESUMED_AT,
                    "lostSteps": LOST_AT - RESUMED_AT,
                    "secondsToFirstStep": 6.2,
                }
            ],
        },
        "checkpoints": {
            "lastGood": STEPS // EVERY * EVERY,
            "recent": [
                {
                    "step": step,
                    "path": f"/runs/{NAMESPACE}/python-lm/checkpoints/checkpoint-{step}",
                    "sizeBytes": 8_412_000,
                    "worldSize": 2,
                }
                for step in range(STEPS // EVERY * EVERY - 2 * EVERY, STEPS, EVERY)
            ],
        },
    }


def _succeeded() -> Object:
    return {
        "phase": "Succeeded",
        "message": "1000 steps are done, last loss 3.1",
        "progress": {"step": TOTAL, "totalSteps": TOTAL, "steps": f"{TOTAL}/{TOTAL}", "loss": 3.1},
        "workers": {"desired": 2, "summary": "0/2"},
        "checkpoints": {"lastGood": TOTAL},
    }


def _stuck(now: datetime) -> Object:
    message = (
        f"2 of 2 workers fit on no node: {NO_NODE}; "
        "lower spec.workers.resources, or free or add a node"
    )
    return {
        "phase": "Starting",
        "message": message,
        "conditions": [_condition(now, "Running", "False", "Unschedulable", message)],
        "workers": {"desired": 2, "summary": "0/2"},
    }


def _condition(now: datetime, kind: str, status: str, reason: str, message: str) -> Object:
    at = _text(now - timedelta(minutes=6))
    said = {"reason": reason, "message": message, "lastTransitionTime": at}
    return {"type": kind, "status": status, **said}


def _pod(run: str, index: int, status: Object) -> Object:
    name = f"{run}-worker-{index}"
    labels = {"trainingrun.io/run": run, "training.kubeflow.org/replica-index": str(index)}
    return {"metadata": {"name": name, "uid": name, "labels": labels}, "status": status}


def _event(now: datetime, kind: str, reason: str, message: str) -> Object:
    return {
        "metadata": {"name": "python-lm.1"},
        "involvedObject": {"kind": "TrainingRun", "name": "python-lm"},
        "type": kind,
        "reason": reason,
        "message": message,
        "lastTimestamp": _text(now - timedelta(minutes=6)),
    }


def _up(selector: str) -> Object:
    name, value = selector.split("=")
    return {
        "metadata": {"name": value, "labels": {name: value}},
        "status": {"availableReplicas": 1},
    }


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

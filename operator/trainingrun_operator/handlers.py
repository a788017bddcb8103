"""What kopf calls: indices that keep what the watches show, and events that wake runs.

Only `on.event` and `index` are used: kopf then writes nothing to any object, no finalizer, no
annotation, and every decision stays with the reconciler (docs/adr/0001).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import kopf

from trainingrun_operator.api.v1alpha1 import (
    GROUP,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    PLURAL,
    VERSION,
)
from trainingrun_operator.keys import Key
from trainingrun_operator.lifecycle.observed import Job, Pod
from trainingrun_operator.reconciler import Reconciler
from trainingrun_operator.workqueue import WorkQueue

JOB_GROUP: Final = "kubeflow.org"
JOB_VERSION: Final = "v1"
JOB_PLURAL: Final = "pytorchjobs"
OURS: Final = {MANAGED_BY_LABEL: MANAGED_BY}

INDICES: Final = ("runs", "jobs", "pods", "pod_runs")

Index = kopf.Index[Any, Any]


@dataclass
class World:
    """What the watches show: kopf's indices, once kopf has made them."""

    indices: Mapping[str, Index] = field(default_factory=dict)

    def run(self, key: Key) -> Mapping[str, Any] | None:
        """The raw TrainingRun."""
        return next(self._of("runs", key), None)

    def job(self, key: Key) -> Job | None:
        """The PyTorchJob of the run's name, of those that carry our label."""
        return next(self._of("jobs", key), None)

    def pods(self, key: Key) -> tuple[Pod, ...]:
        """The pods that carry the run's label."""
        return tuple(self._of("pods", key))

    def uid(self, key: Key) -> str | None:
        """The UID of a run, None if there is no such run."""
        run = self.run(key)
        return None if run is None else str(run["metadata"]["uid"])

    def versions(self) -> dict[Key, str]:
        """The resourceVersion of every run."""
        return {key: str(run["metadata"]["resourceVersion"]) for key, run in self.runs()}

    def runs(self) -> Iterator[tuple[Key, Mapping[str, Any]]]:
        """Every raw TrainingRun."""
        for key in self.indices.get("runs", ()):
            if (run := self.run(key)) is not None:
                yield key, run

    def run_of_pod(self, namespace: str, uid: str) -> Key | None:
        """The run that a pod is labelled with, None if there is no such pod."""
        name = next(self._of("pod_runs", (namespace, uid)), None)
        return Key(namespace, name) if name else None

    def _of(self, index: str, key: tuple[str, str]) -> Iterator[Any]:
        shown = self.indices.get(index)
        if shown is not None and key in shown:
            yield from shown[key]


@dataclass
class Memo:
    """What the handlers work with."""

    world: World
    reconciler: Reconciler
    queue: WorkQueue[Key]


def registry() -> kopf.OperatorRegistry:
    """A registry with all handlers. One for each operator, so that tests can run several."""
    handlers = kopf.OperatorRegistry()
    runs: dict[str, Any] = {"group": GROUP, "version": VERSION, "plural": PLURAL}
    jobs: dict[str, Any] = {"group": JOB_GROUP, "version": JOB_VERSION, "plural": JOB_PLURAL}
    pods: dict[str, Any] = {"group": "", "version": "v1", "plural": "pods"}
    runs |= {"registry": handlers}
    jobs |= {"registry": handlers, "labels": OURS}
    pods |= {"registry": handlers, "labels": OURS}

    kopf.on.login(registry=handlers)(login)
    kopf.on.startup(registry=handlers)(share_indices)
    kopf.index(id="runs", **runs)(index_run)
    kopf.index(id="jobs", **jobs)(index_job)
    kopf.index(id="pods", **pods)(index_pod)
    kopf.index(id="pod_runs", **pods)(index_pod_run)
    kopf.on.event(id="run", **runs)(wake)
    kopf.on.event(id="job", **jobs)(wake)
    kopf.on.event(id="pod", **pods)(wake_run_of_pod)
    return handlers


def settings(watch_inactivity: timedelta) -> kopf.OperatorSettings:
    """kopf's settings, with the reasons in docs/adr/0001."""
    chosen = kopf.OperatorSettings()
    chosen.posting.enabled = False
    chosen.peering.standalone = True
    chosen.networking.connect_timeout = 10
    chosen.networking.request_timeout = 60
    chosen.watching.server_timeout = 300
    chosen.watching.client_timeout = 310
    chosen.watching.inactivity_timeout = watch_inactivity.total_seconds()
    chosen.watching.chunk_size = 500
    ours = f"{MANAGED_BY_LABEL}={MANAGED_BY}"
    chosen.watching.label_selectors[JOB_GROUP, JOB_VERSION, JOB_PLURAL] = ours
    chosen.watching.label_selectors["", "v1", "pods"] = ours
    chosen.queueing.error_delays = (1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 120)
    return chosen


async def login(**context: Any) -> kopf.ConnectionInfo | None:
    """The pod's service account, else the file that KUBECONFIG names."""
    in_cluster = kopf.login_with_service_account(**context)
    return in_cluster or kopf.login_with_kubeconfig(**context)


async def share_indices(memo: Memo, **context: Any) -> None:
    """Give the world what kopf indexes, before any handler is called."""
    memo.world.indices = {name: context[name] for name in INDICES}


# All coroutines: kopf would call plain functions in threads, where the queue must not be touched.


async def index_run(namespace: str | None, name: str, body: kopf.Body, **_: Any) -> dict[Key, Any]:
    """The raw run, without the managed fields, which are as large again."""
    meta = {k: v for k, v in body["metadata"].items() if k != "managedFields"}
    return {Key(namespace or "", name): {**body, "metadata": meta}}


async def index_job(namespace: str | None, name: str, body: kopf.Body, **_: Any) -> dict[Key, Job]:
    """The job by the name of its run, which is its own."""
    return {Key(namespace or "", name): Job.parse(body)}


async def index_pod(namespace: str | None, body: kopf.Body, **_: Any) -> dict[Key, Pod]:
    """The pod by its run."""
    pod = Pod.parse(body)
    return {Key(namespace or "", pod.run): pod}


async def index_pod_run(
    namespace: str | None, body: kopf.Body, **_: Any
) -> dict[tuple[str, str], str]:
    """The run's name by the UID of a pod, for the progress endpoint."""
    pod = Pod.parse(body)
    return {(namespace or "", pod.uid): pod.run}


async def wake(namespace: str | None, name: str, memo: Memo, **_: Any) -> None:
    """A run or its job has changed, or has gone."""
    memo.queue.wake(Key(namespace or "", name))


async def wake_run_of_pod(namespace: str | None, body: kopf.Body, memo: Memo, **_: Any) -> None:
    """A worker's pod has changed, or has gone and shows its end for the last time."""
    pod = Pod.parse(body)
    key = Key(namespace or "", pod.run)
    memo.reconciler.note_pod(key, pod)
    memo.queue.wake(key)

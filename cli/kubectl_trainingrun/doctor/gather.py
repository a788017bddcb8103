"""Asks the cluster for all that a diagnosis looks at; what may not be asked stays unknown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from kubectl_trainingrun.cluster import RUNS, Cluster, ClusterError, NotFoundError, Object
from kubectl_trainingrun.doctor.snapshot import Event, Node, Snapshot
from kubectl_trainingrun.run_view import RunView
from trainingrun_operator.api.v1alpha1 import RUN_LABEL
from trainingrun_operator.lifecycle.observed import Job, Pod

JOBS: Final = "pytorchjobs.kubeflow.org"
OPERATOR: Final = "app.kubernetes.io/name=trainingrun-operator"
TRAINING_OPERATOR: Final = "control-plane=kubeflow-training-operator"
LOG_LINES: Final = 200


def snapshot(cluster: Cluster, name: str, now: datetime) -> Snapshot:
    """The run and its surroundings.

    Raises:
        NotFoundError: there is no such run.
        ClusterError: the run cannot be read.
    """
    run = RunView.of(cluster.get(RUNS, name))
    job = _got(cluster, JOBS, name)
    raw_pods = _listed(cluster, "pods", selector=f"{RUN_LABEL}={name}") or []
    pods = tuple(sorted(map(Pod.parse, raw_pods), key=lambda pod: pod.index))
    claim_name = _claim(run.spec, name)
    claim = _got(cluster, "persistentvolumeclaims", claim_name) if claim_name else None
    names = {name, claim_name, *(pod.name for pod in pods)}
    return Snapshot(
        run=run,
        now=now,
        job=Job.parse(job) if job else None,
        pods=pods,
        events=tuple(_events(_listed(cluster, "events") or [], names)),
        claim_name=claim_name,
        claim_phase=None if claim is None else str(claim.get("status", {}).get("phase", "")),
        nodes=_nodes(_listed(cluster, "nodes")),
        operator_up=_up(cluster, OPERATOR),
        training_operator_up=_up(cluster, TRAINING_OPERATOR),
        log=_log(cluster, pods),
    )


def _claim(spec: Mapping[str, Any], run: str) -> str | None:
    storage = spec.get("storage")
    return None if storage is None else storage.get("claimName") or f"{run}-data"


def _got(cluster: Cluster, kind: str, name: str) -> Object | None:
    """The object, {} if there is none, None if it may not be asked for."""
    try:
        return cluster.get(kind, name)
    except NotFoundError:
        return {}
    except ClusterError:
        return None


def _listed(
    cluster: Cluster, kind: str, *, selector: str = "", everywhere: bool = False
) -> list[Object] | None:
    try:
        return cluster.select(kind, selector=selector, everywhere=everywhere)
    except ClusterError:
        return None


def _up(cluster: Cluster, selector: str) -> bool | None:
    found = _listed(cluster, "deployments.apps", selector=selector, everywhere=True)
    if found is None:
        return None
    return any((each.get("status") or {}).get("availableReplicas", 0) > 0 for each in found)


def _nodes(found: list[Object] | None) -> tuple[Node, ...] | None:
    return None if found is None else tuple(map(_node, found))


def _node(raw: Object) -> Node:
    holding = {
        c["type"]
        for c in (raw.get("status") or {}).get("conditions") or ()
        if c.get("status") == "True"
    }
    return Node(raw["metadata"]["name"], "Ready" in holding, tuple(sorted(holding - {"Ready"})))


def _events(found: list[Object], names: set[str | None]) -> Iterator[Event]:
    for raw in found:
        about = raw.get("involvedObject") or {}
        if about.get("name") not in names:
            continue
        at = raw.get("lastTimestamp") or raw.get("eventTime")
        yield Event(
            object=f"{about.get('kind', '')}/{about['name']}",
            type=raw.get("type", ""),
            reason=raw.get("reason", ""),
            message=raw.get("message", ""),
            at=datetime.fromisoformat(at) if at else None,
        )


def _log(cluster: Cluster, pods: tuple[Pod, ...]) -> tuple[str, ...]:
    """Of worker 0, which speaks for all; its container may not have begun."""
    if not pods:
        return ()
    try:
        return tuple(cluster.logs(pods[0].name, tail=LOG_LINES))
    except ClusterError:
        return ()

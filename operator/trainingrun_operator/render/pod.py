"""The lists and maps of a worker's pod, built as plain data for the template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trainingrun_operator.api.affinity import Apart, NodeExpression
from trainingrun_operator.api.v1alpha1 import MANAGED_BY, MANAGED_BY_LABEL, RUN_LABEL
from trainingrun_operator.api.variables import EnvFrom
from trainingrun_operator.plan import LaunchPlan
from trainingrun_operator.plan.environment import Variable


@dataclass(frozen=True)
class PodLists:
    """The lists and maps of a pod, as plain data for the template."""

    labels: dict[str, str]
    annotations: dict[str, str]
    env_from: list[dict[str, Any]]
    env: list[dict[str, Any]]
    volumes: list[dict[str, Any]]
    volume_mounts: list[dict[str, Any]]
    tolerations: list[dict[str, Any]]
    affinities: list[dict[str, Any]]
    """One, or none."""
    topology_spread: list[dict[str, Any]]
    pull_secrets: list[dict[str, str]]
    node_selector: dict[str, str]
    resources: dict[str, str]
    """Both what is requested and the limit."""
    priority_class_names: list[str]
    """One name, or none: a class of the empty name would be another one."""


def pod_lists(plan: LaunchPlan) -> PodLists:
    """The lists of a plan's pod."""
    return PodLists(
        # The operator's come last: no label of a user replaces one of them.
        labels={**dict(plan.labels), MANAGED_BY_LABEL: MANAGED_BY, RUN_LABEL: plan.name},
        annotations=dict(plan.annotations),
        env_from=[_source(source) for source in plan.env_from],
        env=[_variable(variable) for variable in plan.environment],
        volumes=[{"name": volume.name, **volume.source} for volume in plan.volumes],
        volume_mounts=[
            {
                "name": volume.name,
                "mountPath": volume.path,
                **({"readOnly": True} if volume.read_only else {}),
                **({"subPath": volume.sub_path} if volume.sub_path else {}),
            }
            for volume in plan.volumes
        ],
        tolerations=[
            toleration.model_dump(mode="json", by_alias=True, exclude_none=True)
            for toleration in plan.tolerations
        ],
        affinities=[affinity] if (affinity := _affinity(plan)) else [],
        topology_spread=[
            {**spread.model_dump(mode="json", by_alias=True), "labelSelector": _own_workers(plan)}
            for spread in plan.topology_spread
        ],
        pull_secrets=[{"name": name} for name in plan.pull_secrets],
        node_selector=dict(plan.node_selector),
        resources=_resources(plan),
        priority_class_names=[plan.priority_class_name] if plan.priority_class_name else [],
    )


def _resources(plan: LaunchPlan) -> dict[str, str]:
    disk = plan.ephemeral_storage
    return {
        "cpu": plan.cpu,
        "memory": plan.memory,
        **({"ephemeral-storage": disk} if disk is not None else {}),
    }


def _own_workers(plan: LaunchPlan) -> dict[str, Any]:
    return {"matchLabels": {RUN_LABEL: plan.name}}


def _affinity(plan: LaunchPlan) -> dict[str, Any]:
    """The core API's affinity: `required` is one term, of which every expression holds."""
    nodes, apart = plan.affinity.nodes, plan.affinity.apart
    terms = {
        "requiredDuringSchedulingIgnoredDuringExecution": (
            {"nodeSelectorTerms": [_node_term(nodes.required)]} if nodes.required else None
        ),
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": better.weight, "preference": _node_term(better.expressions)}
            for better in nodes.preferred
        ],
    }
    distances = {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            _pod_term(plan, keep) for keep in apart if keep.when == "Required"
        ],
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 100, "podAffinityTerm": _pod_term(plan, keep)}
            for keep in apart
            if keep.when == "Preferred"
        ],
    }
    sides = {"nodeAffinity": _given(terms), "podAntiAffinity": _given(distances)}
    return _given(sides)


def _given(parts: dict[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in parts.items() if part}


def _node_term(expressions: tuple[NodeExpression, ...]) -> dict[str, Any]:
    matched = [
        _given(expression.model_dump(mode="json", by_alias=True)) for expression in expressions
    ]
    return {"matchExpressions": matched}


def _pod_term(plan: LaunchPlan, apart: Apart) -> dict[str, Any]:
    return {"topologyKey": apart.topology_key, "labelSelector": _own_workers(plan)}


def _source(source: EnvFrom) -> dict[str, Any]:
    if source.secret is not None:
        return {"secretRef": {"name": source.secret}}
    return {"configMapRef": {"name": source.config_map}}


def _variable(variable: Variable) -> dict[str, Any]:
    if variable.pod_field is not None:
        source: dict[str, Any] = {"fieldRef": {"fieldPath": variable.pod_field}}
    elif variable.secret is not None:
        secret = variable.secret
        source = {"secretKeyRef": {"name": secret.name, "key": secret.key}}
    else:
        return {"name": variable.name, "value": variable.value}
    return {"name": variable.name, "valueFrom": source}

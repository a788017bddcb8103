"""The lists and maps of a worker's pod, built as plain data for the template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
            }
            for volume in plan.volumes
        ],
        tolerations=[
            toleration.model_dump(mode="json", by_alias=True, exclude_none=True)
            for toleration in plan.tolerations
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

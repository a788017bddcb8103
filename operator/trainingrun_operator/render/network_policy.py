"""The NetworkPolicy of a run: its workers' ports, which ask nobody for a name, are its own."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from trainingrun_operator.plan import LaunchPlan
from trainingrun_operator.render.manifest import LabelSelector, Manifest, Strict, parse
from trainingrun_operator.render.templates import TEMPLATES


class Peer(Strict):
    """Pods of the run's own namespace."""

    pod_selector: LabelSelector


class IngressRule(Strict):
    """Who may connect, to any port: the ranks' ports are the kernel's choice."""

    sources: tuple[Peer] = Field(alias="from")


class NetworkPolicySpec(Strict):
    """The workers of one run, closed to all but each other."""

    pod_selector: LabelSelector
    policy_types: tuple[Literal["Ingress"]]
    ingress: tuple[IngressRule]


class NetworkPolicy(Manifest):
    """The part of a networking.k8s.io/v1 NetworkPolicy that we write."""

    api_version: Literal["networking.k8s.io/v1"]
    kind: Literal["NetworkPolicy"]
    spec: NetworkPolicySpec


def network_policy(plan: LaunchPlan) -> dict[str, Any]:
    """The NetworkPolicy of a run.

    Raises:
        RenderError: the template gave something that is not the planned NetworkPolicy.
    """
    text = TEMPLATES.get_template("network_policy.yaml.j2").render(plan=plan)
    return parse(text, NetworkPolicy, plan, plan.network_policy)

"""The ConfigMap that carries RunConfig, and the authority of the progress endpoint, to the pods."""

from __future__ import annotations

from typing import Any, Literal

from trainingrun_operator.plan import LaunchPlan
from trainingrun_operator.render.manifest import Manifest, parse
from trainingrun_operator.render.templates import TEMPLATES


class ConfigMap(Manifest):
    """The part of a core/v1 ConfigMap that we write."""

    api_version: Literal["v1"]
    kind: Literal["ConfigMap"]
    data: dict[Literal["run.json", "ca.crt"], str]


def config_map(plan: LaunchPlan) -> dict[str, Any]:
    """The ConfigMap of a run.

    Raises:
        RenderError: the template gave something that is not the planned ConfigMap.
    """
    data = {"run.json": plan.config.to_json()}
    if plan.progress_ca:
        data["ca.crt"] = plan.progress_ca
    text = TEMPLATES.get_template("config_map.yaml.j2").render(plan=plan, data=data)
    return parse(text, ConfigMap, plan, plan.config_map)

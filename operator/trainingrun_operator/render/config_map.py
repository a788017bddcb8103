"""The ConfigMap that carries RunConfig, and the authority of the progress endpoint, to the pods."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Literal

from trainingrun_operator.plan import LaunchPlan
from trainingrun_operator.render.manifest import Manifest, parse
from trainingrun_operator.render.templates import TEMPLATES

RUN_CONFIG: Final = "run.json"
_KEPT_METADATA: Final = ("name", "namespace", "labels", "ownerReferences")
"""The rest of an object's metadata is the API server's."""


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
    data = {RUN_CONFIG: plan.config.to_json()}
    if plan.progress_ca:
        data["ca.crt"] = plan.progress_ca
    text = TEMPLATES.get_template("config_map.yaml.j2").render(plan=plan, data=data)
    return parse(text, ConfigMap, plan, plan.config_map)


def with_workers(there: Mapping[str, Any], workers: int) -> dict[str, Any] | None:
    """The ConfigMap of a living job, for another number of workers.

    All else stays as the job was made with: pods to come have its image, and that may refuse what
    this operator would write by now. None if what is `there` is not one of ours.
    """
    try:
        config = json.loads(there["data"][RUN_CONFIG])
        config["processes"] = {**config["processes"], "workers": workers}
    except (LookupError, TypeError, ValueError):
        return None
    text = json.dumps(config, indent=2, sort_keys=True)
    metadata = there["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {key: metadata[key] for key in _KEPT_METADATA if key in metadata},
        "data": {**there["data"], RUN_CONFIG: text},
    }

"""All objects of a run, in the order in which they are applied."""

from __future__ import annotations

from typing import Any

from trainingrun_operator.plan import LaunchPlan
from trainingrun_operator.render.config_map import config_map
from trainingrun_operator.render.network_policy import network_policy
from trainingrun_operator.render.pytorch_job import pytorch_job
from trainingrun_operator.render.rendezvous import rendezvous


def render(plan: LaunchPlan) -> tuple[dict[str, Any], ...]:
    """The run's manifests as the API server takes them; the job last, as it needs the others.

    Raises:
        RenderError: a template gave something that is not the planned object.
    """
    return config_map(plan), network_policy(plan), *rendezvous(plan), pytorch_job(plan)

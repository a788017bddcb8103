"""The PyTorchJob of a run: always the elastic, Worker-only form, also for a fixed number.

https://github.com/kubeflow/training-operator/tree/v1.9.4/pkg/apis/kubeflow.org/v1
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from trainingrun_operator.plan import LaunchPlan
from trainingrun_operator.render.manifest import Manifest, Strict, parse
from trainingrun_operator.render.pod import pod_lists
from trainingrun_operator.render.pod_template import PodTemplate
from trainingrun_operator.render.templates import TEMPLATES


class RunPolicy(Strict):
    """What the training operator does with the job as a whole."""

    clean_pod_policy: Literal["None"]
    suspend: bool


class ElasticPolicy(Strict):
    """The bounds that the training operator gives to the rendezvous."""

    rdzv_backend: Literal["c10d"]
    rdzv_host: str | None = None
    min_replicas: int
    max_replicas: int
    max_restarts: int


class ReplicaSpec(Strict):
    """The workers."""

    replicas: int
    restart_policy: Literal["ExitCode"]
    template: PodTemplate


class ReplicaSpecs(Strict):
    """A job with a Master ignores the elastic bounds; there is none."""

    worker: ReplicaSpec = Field(alias="Worker")


class PyTorchJobSpec(Strict):
    """The part of a PyTorchJob's spec that we write."""

    nproc_per_node: str
    run_policy: RunPolicy
    elastic_policy: ElasticPolicy
    pytorch_replica_specs: ReplicaSpecs


class PyTorchJob(Manifest):
    """The part of a kubeflow.org/v1 PyTorchJob that we write."""

    api_version: Literal["kubeflow.org/v1"]
    kind: Literal["PyTorchJob"]
    spec: PyTorchJobSpec


def pytorch_job(plan: LaunchPlan) -> dict[str, Any]:
    """The PyTorchJob of a run.

    Raises:
        RenderError: the template gave something that is not the planned job.
    """
    dedicated = [plan.rendezvous] if plan.rendezvous is not None else []
    text = TEMPLATES.get_template("pytorch_job.yaml.j2").render(
        plan=plan, pod=pod_lists(plan), dedicated=dedicated
    )
    return parse(text, PyTorchJob, plan, plan.name)

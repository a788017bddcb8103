"""The Service and the Job of a rendezvous that has a pod of its own (docs/adr/0007)."""

from __future__ import annotations

from typing import Any, Literal

from trainingrun_operator.plan import LaunchPlan
from trainingrun_operator.plan.rendezvous import CPU_LIMIT, CPU_REQUEST, MEMORY
from trainingrun_operator.render.manifest import Manifest, PodMetadata, Strict, parse
from trainingrun_operator.render.pod import pod_lists
from trainingrun_operator.render.pod_template import (
    ContainerSecurity,
    Env,
    Named,
    PodSecurity,
    PodToleration,
    PodVolume,
    Resources,
    VolumeMount,
)
from trainingrun_operator.render.templates import TEMPLATES

Port = Literal[23456]
Command = tuple[
    Literal["python"],
    Literal["-m"],
    Literal["trainingrun_trainer.rendezvous"],
    Literal["--config"],
    Literal["/etc/trainingrun/run.json"],
    Literal["--port"],
    Literal["23456"],
]


class ServicePort(Strict):
    """The one port."""

    name: Literal["rendezvous"]
    port: Port
    target_port: Port
    protocol: Literal["TCP"]


class ServiceSpec(Strict):
    """An address that stays when the pod is made again."""

    type: Literal["ClusterIP"]
    selector: dict[Literal["batch.kubernetes.io/job-name"], str]
    ports: tuple[ServicePort]


class Service(Manifest):
    """The part of a core/v1 Service that we write."""

    api_version: Literal["v1"]
    kind: Literal["Service"]
    spec: ServiceSpec


class ContainerPort(Strict):
    """The one port."""

    name: Literal["rendezvous"]
    container_port: Port
    protocol: Literal["TCP"]


class Container(Strict):
    """The one container."""

    name: Literal["rendezvous"]
    image: str
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"]
    command: Command
    env: tuple[Env, ...]
    ports: tuple[ContainerPort]
    resources: Resources
    security_context: ContainerSecurity
    termination_message_policy: Literal["FallbackToLogsOnError"]
    volume_mounts: tuple[VolumeMount, ...]


class PodSpec(Strict):
    """The pod: no claim, no token, nothing of the user's but where it may run."""

    restart_policy: Literal["OnFailure"]
    automount_service_account_token: Literal[False]
    enable_service_links: Literal[False]
    termination_grace_period_seconds: int
    image_pull_secrets: tuple[Named, ...]
    node_selector: dict[str, str]
    tolerations: tuple[PodToleration, ...]
    priority_class_name: str | None = None
    security_context: PodSecurity
    containers: tuple[Container]
    volumes: tuple[PodVolume, ...]


class PodTemplate(Strict):
    """The template of the pod."""

    metadata: PodMetadata
    spec: PodSpec


class JobSpec(Strict):
    """One pod that is made again until it has done its work."""

    suspend: bool
    completions: Literal[1]
    parallelism: Literal[1]
    backoff_limit: int
    pod_replacement_policy: Literal["Failed"]
    template: PodTemplate


class Job(Manifest):
    """The part of a batch/v1 Job that we write."""

    api_version: Literal["batch/v1"]
    kind: Literal["Job"]
    spec: JobSpec


def rendezvous(plan: LaunchPlan) -> tuple[dict[str, Any], ...]:
    """The Service and the Job of the run's rendezvous; nothing if worker 0 holds it.

    Raises:
        RenderError: a template gave something that is not the planned object.
    """
    planned = plan.rendezvous
    if planned is None:
        return ()
    resources = {"cpu_request": CPU_REQUEST, "cpu_limit": CPU_LIMIT, "memory": MEMORY}
    service = TEMPLATES.get_template("rendezvous_service.yaml.j2").render(plan=plan)
    job = TEMPLATES.get_template("rendezvous_job.yaml.j2").render(
        plan=plan, pod=pod_lists(plan), resources=resources
    )
    return (
        parse(service, Service, plan, planned.service),
        parse(job, Job, plan, planned.job),
    )

"""The shape of a worker's pod template: what is not named here cannot be in a worker."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trainingrun_operator.render.manifest import LabelSelector, PodMetadata, Strict

Command = tuple[
    Literal["python"],
    Literal["-m"],
    Literal["trainingrun_trainer"],
    Literal["--config"],
    Literal["/etc/trainingrun/run.json"],
]


class Named(Strict):
    """A reference to an object of the same namespace."""

    name: str


class FieldRef(Strict):
    """A field of the pod itself."""

    field_path: Literal["metadata.name", "metadata.labels['training.kubeflow.org/replica-index']"]


class SecretKeyRef(Strict):
    """A key of a secret in the pod's namespace."""

    name: str
    key: str


class ValueFrom(Strict):
    """Where a variable's value comes from."""

    field_ref: FieldRef | None = None
    secret_key_ref: SecretKeyRef | None = None


class Env(Strict):
    """An environment variable."""

    name: str
    value: str | None = None
    value_from: ValueFrom | None = None


class EnvSource(Strict):
    """A secret or a ConfigMap whose every key is a variable."""

    secret_ref: Named | None = None
    config_map_ref: Named | None = None


class ResourceList(Strict):
    """CPU, memory and disk as quantities."""

    cpu: str
    memory: str
    ephemeral_storage: str | None = Field(None, alias="ephemeral-storage")


class Resources(Strict):
    """Requests equal limits, else the pod is not Guaranteed."""

    requests: ResourceList
    limits: ResourceList


class Capabilities(Strict):
    """None are left."""

    drop: tuple[Literal["ALL"]]


class ContainerSecurity(Strict):
    """What the restricted Pod Security Standard asks of a container, and a read-only root."""

    allow_privilege_escalation: Literal[False]
    read_only_root_filesystem: Literal[True]
    capabilities: Capabilities


class VolumeMount(Strict):
    """A mount."""

    name: str
    mount_path: str
    read_only: bool = False
    sub_path: str | None = None


class Container(Strict):
    """The one container of a worker."""

    name: Literal["pytorch"]
    image: str
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"]
    command: Command
    env_from: tuple[EnvSource, ...]
    env: tuple[Env, ...]
    resources: Resources
    security_context: ContainerSecurity
    termination_message_policy: Literal["FallbackToLogsOnError"]
    volume_mounts: tuple[VolumeMount, ...]


class EmptyDir(Strict):
    """A volume that goes with the pod."""

    medium: Literal["Memory"] | None = None
    size_limit: str | None = None


class Claim(Strict):
    """A reference to a claim of the same namespace."""

    claim_name: str


class Token(Strict):
    """A service-account token for an audience of ours."""

    audience: Literal["trainingrun.io/progress"]
    expiration_seconds: int
    path: Literal["token"]


class TokenSource(Strict):
    """The one source of a projected volume."""

    service_account_token: Token


class Projected(Strict):
    """A projected volume."""

    sources: tuple[TokenSource]


class PodVolume(Strict):
    """A volume: exactly these four kinds, so that no host path can slip in."""

    name: str
    config_map: Named | None = None
    empty_dir: EmptyDir | None = None
    persistent_volume_claim: Claim | None = None
    projected: Projected | None = None


class PodToleration(Strict):
    """A toleration."""

    key: str | None = None
    operator: Literal["Exists", "Equal"]
    value: str | None = None
    effect: str | None = None
    toleration_seconds: int | None = None


class Spread(Strict):
    """How evenly the run's workers are spread."""

    max_skew: int
    topology_key: str
    when_unsatisfiable: Literal["DoNotSchedule", "ScheduleAnyway"]
    label_selector: LabelSelector


class MatchExpression(Strict):
    """What a label of a node must be."""

    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]
    values: tuple[str, ...] = ()


class NodeTerm(Strict):
    """Expressions that hold together."""

    match_expressions: tuple[MatchExpression, ...]


class NodeTerms(Strict):
    """The one term that a node must match."""

    node_selector_terms: tuple[NodeTerm]


class WeighedNodeTerm(Strict):
    """A term that a node had better match."""

    weight: int
    preference: NodeTerm


class NodeAffinity(Strict):
    """Which nodes."""

    required_during_scheduling_ignored_during_execution: NodeTerms | None = None
    preferred_during_scheduling_ignored_during_execution: tuple[WeighedNodeTerm, ...] = ()


class PodTerm(Strict):
    """The run's workers within one value of a node's label."""

    topology_key: str
    label_selector: LabelSelector


class WeighedPodTerm(Strict):
    """The same, as a preference."""

    weight: Literal[100]
    pod_affinity_term: PodTerm


class PodAntiAffinity(Strict):
    """What keeps the run's workers apart."""

    required_during_scheduling_ignored_during_execution: tuple[PodTerm, ...] = ()
    preferred_during_scheduling_ignored_during_execution: tuple[WeighedPodTerm, ...] = ()


class PodAffinity(Strict):
    """Where a worker runs; never near or far from what is not its run's."""

    node_affinity: NodeAffinity | None = None
    pod_anti_affinity: PodAntiAffinity | None = None


class SeccompProfile(Strict):
    """The runtime's own profile."""

    type: Literal["RuntimeDefault"]


class PodSecurity(Strict):
    """What the restricted Pod Security Standard asks of a pod."""

    run_as_non_root: Literal[True]
    run_as_user: Literal[1000]
    run_as_group: Literal[1000]
    fs_group: Literal[1000]
    fs_group_change_policy: Literal["OnRootMismatch"]
    seccomp_profile: SeccompProfile


class PodSpec(Strict):
    """A worker's pod."""

    automount_service_account_token: Literal[False]
    enable_service_links: Literal[False]
    termination_grace_period_seconds: int
    image_pull_secrets: tuple[Named, ...]
    node_selector: dict[str, str]
    tolerations: tuple[PodToleration, ...]
    priority_class_name: str | None = None
    affinity: PodAffinity | None = None
    topology_spread_constraints: tuple[Spread, ...]
    security_context: PodSecurity
    containers: tuple[Container]
    volumes: tuple[PodVolume, ...]


class PodTemplate(Strict):
    """The template of a worker's pod."""

    metadata: PodMetadata
    spec: PodSpec

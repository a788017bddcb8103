"""The TrainingRun a user writes: `spec`, group by group.

Groups that reach the trainer unchanged come from `trainingrun_trainer.config`; the rest is here.
Every field has a description, a bound and, where it makes sense, a default: the CRD and the API
reference are generated from these models.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from trainingrun_operator.api.quantities import CpuQuantity, MemoryQuantity
from trainingrun_operator.api.status import Status
from trainingrun_trainer.config import (
    Checkpoints,
    Data,
    Evaluation,
    LocalPath,
    Model,
    ResumeFrom,
    Task,
    Training,
)
from trainingrun_trainer.rules import Group, Rule

GROUP: Final = "trainingrun.io"
VERSION: Final = "v1alpha1"
API_VERSION: Final = "trainingrun.io/v1alpha1"
KIND: Final = "TrainingRun"
PLURAL: Final = "trainingruns"

RUN_LABEL = f"{GROUP}/run"
"""On every object made for a run, with the run's name; `kubectl logs -l` selects by it."""
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
MANAGED_BY = "trainingrun-operator"

NAME_MAX_LENGTH = 50
"""A service is named `<job>-worker-<i>` by the training operator and has 63 characters at most."""

ObjectName = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=253,
        pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
    ),
]
ImageName = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=512,
        pattern=r"^[a-z0-9]([a-z0-9._-]*[a-z0-9])?(:[0-9]+)?(/[a-z0-9]([a-z0-9._-]*[a-z0-9])?)*"
        r"(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[a-f0-9]{64})?$",
    ),
]
LabelKey = Annotated[str, StringConstraints(min_length=1, max_length=317)]
LabelValue = Annotated[
    str, StringConstraints(max_length=63, pattern=r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$")
]


class Image(Group):
    """The image of the workers; the runtime's own if absent."""

    name: ImageName | None = Field(None, description="Repository with tag or digest.")
    pull_policy: Literal["Always", "IfNotPresent", "Never"] = Field(
        "IfNotPresent", description="When the node pulls the image."
    )
    pull_secrets: tuple[ObjectName, ...] = Field(
        (), max_length=8, description="Names of pull secrets in the run's namespace."
    )


class SecretKey(Group):
    """One key of a secret in the run's namespace."""

    name: ObjectName = Field(description="The secret's name.")
    key: Annotated[
        str, StringConstraints(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")
    ] = Field(description="The key in the secret.")


class EnvVar(Group):
    """One environment variable of the workers. `$(NAME)` in a value is kept as written."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="has(self.value) != has(self.secretKey)",
            holds=lambda e: (e.value is None) != (e.secret_key is None),
            message="give exactly one of value and secretKey",
        ),
        Rule(
            cel="!self.name.startsWith('PET_') && !self.name.startsWith('TRAININGRUN_') && "
            "!self.name.startsWith('KUBEFLOW_TRAINER_') && !(self.name in ['MASTER_ADDR', "
            "'MASTER_PORT', 'RANK', 'LOCAL_RANK', 'WORLD_SIZE', 'OMP_NUM_THREADS'])",
            holds=lambda e: (
                not e.name.startswith(("PET_", "TRAININGRUN_", "KUBEFLOW_TRAINER_"))
                and e.name
                not in (
                    "MASTER_ADDR",
                    "MASTER_PORT",
                    "RANK",
                    "LOCAL_RANK",
                    "WORLD_SIZE",
                    "OMP_NUM_THREADS",
                )
            ),
            message="the operator sets this variable; remove it (spec.cpu.threads sets threads)",
            field="name",
        ),
    )

    name: Annotated[
        str, StringConstraints(min_length=1, max_length=256, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    ] = Field(description="The variable's name.")
    value: Annotated[str, StringConstraints(max_length=4096)] | None = Field(
        None, description="A literal value."
    )
    secret_key: SecretKey | None = Field(None, description="The value of a secret's key.")


class Toleration(Group):
    """Lets workers onto nodes with a matching taint."""

    key: Annotated[str, StringConstraints(max_length=317)] | None = Field(
        None, description="The taint's key; all if absent."
    )
    operator: Literal["Exists", "Equal"] = Field("Equal", description="How the value is compared.")
    value: LabelValue | None = Field(None, description="The taint's value, for Equal.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        None, description="The taint's effect; all if absent."
    )
    toleration_seconds: int | None = Field(
        None, ge=0, le=31_536_000, description="How long a NoExecute taint is tolerated."
    )


class Elastic(Group):
    """How far the number of workers may go from `count`, and how often ranks may fail."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="self.min <= self.max",
            holds=lambda e: e.min <= e.max,
            message="min must not be greater than max",
            field="min",
        ),
    )

    min: int = Field(1, ge=1, le=1000, description="Train with no fewer workers.")
    max: int = Field(1, ge=1, le=1000, description="Train with no more workers.")
    max_restarts: int = Field(
        10, ge=0, le=1000, description="Failed ranks after which the run fails."
    )


class Resources(Group):
    """What one worker gets: requests equal limits, so its CPUs are its own (Guaranteed QoS)."""

    cpu: CpuQuantity = Field("1", description="CPUs of one worker, as a quantity: 8, 500m.")
    memory: MemoryQuantity = Field("2Gi", description="Memory of one worker, /dev/shm included.")


class Workers(Group):
    """How many pods train, and what each gets."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.elastic) || "
            "(self.elastic.min <= self.count && self.count <= self.elastic.max)",
            holds=lambda w: w.elastic is None or w.elastic.min <= w.count <= w.elastic.max,
            message="count must lie between elastic.min and elastic.max; change one of them",
            field="count",
        ),
    )

    count: int = Field(1, ge=1, le=1000, description="Pods that are meant to train.")
    elastic: Elastic | None = Field(
        None, description="Bounds of count; a fixed number of workers if absent."
    )
    processes_per_worker: int | Literal["auto"] = Field(
        "auto", description="Ranks in each worker; auto: one."
    )
    resources: Resources = Field(Resources(), description="What one worker gets.")
    node_selector: dict[LabelKey, LabelValue] = Field(
        {}, max_length=32, description="Labels a node must have."
    )
    tolerations: tuple[Toleration, ...] = Field(
        (), max_length=32, description="Taints the workers tolerate."
    )
    priority_class_name: ObjectName | None = Field(None, description="The pods' priority class.")
    env: tuple[EnvVar, ...] = Field((), max_length=128, description="Environment of the workers.")


class CommunicationSpec(Group):
    """How ranks talk to each other."""

    backend: Literal["auto", "gloo"] = Field(
        "auto", description="torch.distributed backend; auto: gloo on CPUs."
    )
    timeout_seconds: int = Field(
        300, ge=5, le=86400, description="A collective that takes longer has failed."
    )


class CpuSpec(Group):
    """How the worker's CPUs are used."""

    threads: int | Literal["auto"] = Field(
        "auto",
        description="OpenMP threads of each rank; auto: the worker's CPUs divided by its ranks, "
        "one at least.",
    )


class Storage(Group):
    """The claim that holds the run's folder: checkpoints, model, logs."""

    claim_name: ObjectName = Field(
        description="A PersistentVolumeClaim in the run's namespace, ReadWriteMany for several "
        "workers."
    )
    mount_path: LocalPath = Field(
        "/runs",
        description="Where the claim is mounted. The run's folder is <mountPath>/<run name>.",
    )


class SharedMemory(Group):
    """The memory volume at /dev/shm."""

    size: MemoryQuantity = Field("256Mi", description="Its size; counts into the memory limit.")


class Policy(Group):
    """What happens to the run as a whole."""

    suspend: bool = Field(
        False, description="True: pods are stopped after a checkpoint; false: the run goes on."
    )
    active_deadline_seconds: int | None = Field(
        None,
        ge=1,
        le=31_536_000,
        description="Fail the run after so much time, suspension not counted.",
    )
    ttl_seconds_after_finished: int | None = Field(
        None,
        ge=0,
        le=31_536_000,
        description="Delete the TrainingRun so long after its end; the claim's data stays.",
    )
    max_pod_restarts: int = Field(
        20, ge=0, le=10_000, description="Pods lost or failed after which the run fails."
    )
    termination_grace_period_seconds: int = Field(
        60,
        ge=1,
        le=3600,
        description="Time a worker gets to save a checkpoint when it is asked to leave.",
    )


class TrainingRunSpec(Group):
    """One training run. What defines its result cannot change after creation."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="self.workers.count == 1 || !has(self.workers.elastic) || has(self.storage)",
            holds=lambda s: (
                s.workers.count == 1 or s.workers.elastic is None or s.storage is not None
            ),
            message="an elastic run keeps its checkpoints on a claim that all workers share; "
            "give storage.claimName",
            field="storage",
        ),
    )
    IMMUTABLE: ClassVar[tuple[str, ...]] = (
        "runtime",
        "task",
        "model",
        "data",
        "training",
        "storage",
        "resume",
    )
    """Fields that may not change after creation; `workers`, `policy`, `image` and the rest may."""

    runtime: Literal["cpu"] = Field("cpu", description="Picks the image and the defaults.")
    image: Image = Field(Image(), description="The workers' image; the runtime's own if absent.")
    task: Task = Field(description="What the model is trained to do.")
    model: Model = Field(description="The model to train.")
    data: Data = Field(description="What to train on, and what to hold out.")
    training: Training = Field(description="How the model is trained.")
    workers: Workers = Field(Workers(), description="How many pods train, and what each gets.")
    communication: CommunicationSpec = Field(
        CommunicationSpec(), description="How ranks talk to each other."
    )
    cpu: CpuSpec = Field(CpuSpec(), description="How the worker's CPUs are used.")
    storage: Storage | None = Field(
        None,
        description="The claim for checkpoints and the model; without one they go with the pod.",
    )
    shared_memory: SharedMemory = Field(
        SharedMemory(), description="The memory volume at /dev/shm."
    )
    checkpoints: Checkpoints = Field(
        Checkpoints(), description="When the state of training is saved."
    )
    evaluation: Evaluation = Field(Evaluation(), description="When the held-out data is evaluated.")
    resume: ResumeFrom = Field(
        ResumeFrom.LATEST, description="What a run starts from when its folder holds checkpoints."
    )
    policy: Policy = Field(Policy(), description="What happens to the run as a whole.")


class Metadata(BaseModel):
    """The part of ObjectMeta this operator reads."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True
    )

    name: str
    namespace: str = "default"
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class TrainingRun(BaseModel):
    """A TrainingRun as the API server gives it."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True
    )

    api_version: Literal["trainingrun.io/v1alpha1"] = API_VERSION
    kind: Literal["TrainingRun"] = KIND
    metadata: Metadata
    spec: TrainingRunSpec
    status: Status = Status()

    @classmethod
    def parse(cls, manifest: dict[str, Any]) -> Self:
        """The typed run.

        Raises:
            pydantic.ValidationError: with one error for each field that is wrong.
        """
        return cls.model_validate(manifest)

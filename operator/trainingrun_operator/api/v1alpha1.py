"""The TrainingRun a user writes: `spec`, group by group.

Groups that reach the trainer unchanged come from `trainingrun_trainer.config`; the rest is here.
Every field has a description, a bound and, where it makes sense, a default: the CRD and the API
reference are generated from these models.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic_core import to_json

from trainingrun_operator.api.names import MountPath, ObjectName, RunName
from trainingrun_operator.api.quantities import MemoryQuantity
from trainingrun_operator.api.schema import Schema, inlined, without_nulls
from trainingrun_operator.api.status import Status
from trainingrun_operator.api.workers import Image, Workers
from trainingrun_trainer.config import (
    Checkpoints,
    Data,
    Evaluation,
    Model,
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
SPEC_HASH_ANNOTATION = f"{GROUP}/spec-hash"
"""On the PyTorchJob: the hash of the spec it was made from."""
ATTEMPT_ANNOTATION = f"{GROUP}/attempt"
"""On the PyTorchJob: how often the run had been retried when it was made."""
RETRY_ANNOTATION = f"{GROUP}/retry"
"""On a TrainingRun that failed: a number above `status.attempt` starts it again."""
RETRIES_AT_MOST: Final = 1000

RESERVED_FOLDERS: Final = (
    *("/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/opt", "/proc", "/root", "/run"),
    *("/sbin", "/scratch", "/sys", "/tmp", "/usr", "/var"),  # noqa: S108 - a name, not a use
)
"""What the image and the operator's own mounts need; a claim over one of them breaks the worker."""


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

    threads: Annotated[int, Field(ge=1, le=1024)] | Literal["auto"] = Field(
        "auto",
        description="OpenMP threads of each rank; auto: the worker's CPUs divided by its ranks, "
        "one at least.",
    )


class NewClaim(Group):
    """The claim `<run name>-data`, made where there is none. It is never deleted with the run."""

    size: MemoryQuantity = Field(description="How much storage to ask for.")
    storage_class_name: ObjectName | None = Field(
        None, description="The storage class; the cluster's default if absent."
    )


class Storage(Group):
    """The claim that holds the run's folder: checkpoints, model, logs."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="has(self.claimName) != has(self.create)",
            holds=lambda s: (s.claim_name is None) != (s.create is None),
            message="claimName and create exclude each other, and one is needed; "
            "give exactly one of them",
        ),
        Rule(
            cel=f"!{list(RESERVED_FOLDERS)}.exists(f, "
            "self.mountPath == f || self.mountPath.startsWith(f + '/'))",
            holds=lambda s: (
                not any(
                    s.mount_path == folder or s.mount_path.startswith(f"{folder}/")
                    for folder in RESERVED_FOLDERS
                )
            ),
            message="the image or the operator needs this folder; mount elsewhere, as at /runs",
            field="mountPath",
        ),
    )

    claim_name: ObjectName | None = Field(
        None,
        description="A PersistentVolumeClaim in the run's namespace, ReadWriteMany for several "
        "workers.",
    )
    create: NewClaim | None = Field(
        None, description="Make a claim of the run's own, which stays when the run is deleted."
    )
    mount_path: MountPath = Field(
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
    stall_timeout_seconds: int | None = Field(
        None,
        ge=60,
        le=31_536_000,
        description="Without a new step for so long the pods are made anew, and at the same step "
        "for the second time the run fails. Longer than loading, evaluation and saving take.",
    )
    force_delete_after_seconds: int = Field(
        60,
        ge=0,
        le=31_536_000,
        description="Pods that are still there so long after their grace period are taken off "
        "their node without its consent, as when it is lost.",
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
            cel="self.workers.count == 1 || has(self.storage)",
            holds=lambda s: s.workers.count == 1 or s.storage is not None,
            message="several workers share one folder for checkpoints and the model; "
            "give storage.claimName or storage.create, or write workers.count: 1",
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
    policy: Policy = Field(Policy(), description="What happens to the run as a whole.")


class Metadata(BaseModel):
    """The part of ObjectMeta this operator reads."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True
    )

    name: RunName
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
        """The typed run, read as strictly as the API server does: "8" is no number.

        A field that is null and may be absent is absent, as for the API server.

        Raises:
            pydantic.ValidationError: with one error for each field that is wrong.
        """
        # Only JSON mode is strict about types and takes lists and enumerations as text.
        text = to_json(without_nulls(manifest, schema()), fallback=_plain)
        return cls.model_validate_json(text, strict=True, by_alias=True, by_name=False)


@cache
def schema() -> Schema:
    """The whole schema as a tree without references. Shared: not to be changed."""
    return inlined(TrainingRun)


def _plain(value: object) -> object:
    """What YAML and kopf give beside JSON's own types: views of dicts, and dates."""
    return dict(value) if isinstance(value, Mapping) else str(value)

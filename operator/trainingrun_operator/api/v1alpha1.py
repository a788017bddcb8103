"""The TrainingRun a user writes: `spec`, group by group.

Groups that reach the trainer unchanged come from `trainingrun_trainer.config`; the others have a
module each beside this one.
Every field has a description, a bound and, where it makes sense, a default: the CRD and the API
reference are generated from these models.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic_core import to_json

from trainingrun_operator.api.cache import Cache
from trainingrun_operator.api.communication import CommunicationSpec
from trainingrun_operator.api.cpu import CpuSpec
from trainingrun_operator.api.image import Image
from trainingrun_operator.api.names import RunName
from trainingrun_operator.api.policy import Policy
from trainingrun_operator.api.schema import Schema, inlined, without_nulls
from trainingrun_operator.api.shared_memory import SharedMemory
from trainingrun_operator.api.status import Status
from trainingrun_operator.api.storage import Storage
from trainingrun_operator.api.workers import Workers
from trainingrun_trainer.config import (
    TASK_RULES,
    Checkpoints,
    Data,
    Evaluation,
    Model,
    Resume,
    Task,
    TaskType,
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
RENDEZVOUS_ANNOTATION = f"{GROUP}/rendezvous"
"""On the PyTorchJob: the Job that holds its rendezvous, if that is not in worker 0."""
RETRY_ANNOTATION = f"{GROUP}/retry"
"""On a TrainingRun that failed: a number above `status.attempt` starts it again."""
RETRIES_AT_MOST: Final = 1000


def _of_the_task(group: str) -> Rule:
    """A script brings its own; every other task needs it."""
    return Rule(
        cel=f"has(self.{group}) == (self.task.type != 'script')",
        holds=lambda s: (getattr(s, group) is not None) == (s.task.type is not TaskType.SCRIPT),
        message=f"every task needs {group} but script, which brings its own; "
        f"give {group}, or remove it from a script",
        field=group,
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
        *map(_of_the_task, ("model", "data", "training")),
        *TASK_RULES,
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

    runtime: Literal["cpu", "xeon"] = Field(
        "cpu",
        description="Picks the image and the defaults. xeon: torch 2.8 with Intel's extension, "
        "oneCCL and OpenMP, for processors of x86-64.",
    )
    image: Image = Field(Image(), description="The workers' image; the runtime's own if absent.")
    task: Task = Field(description="What the model is trained to do.")
    model: Model | None = Field(None, description="The model to train. Not for script.")
    data: Data | None = Field(
        None, description="What to train on, and what to hold out. Not for script."
    )
    training: Training | None = Field(None, description="How the model is trained. Not for script.")
    workers: Workers = Field(Workers(), description="How many pods train, and what each gets.")
    communication: CommunicationSpec = Field(
        CommunicationSpec(), description="How ranks talk to each other."
    )
    cpu: CpuSpec = Field(CpuSpec(), description="How the worker's CPUs are used.")
    storage: Storage | None = Field(
        None,
        description="The claim for checkpoints and the model; without one they go with the pod.",
    )
    cache: Cache = Field(Cache(), description="Where downloaded models and data sets are kept.")
    shared_memory: SharedMemory = Field(
        SharedMemory(), description="The memory volume at /dev/shm."
    )
    checkpoints: Checkpoints = Field(
        Checkpoints(), description="When the state of training is saved."
    )
    evaluation: Evaluation = Field(Evaluation(), description="When the held-out data is evaluated.")
    resume: Resume = Field(Resume(), description="What the run starts from.")
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


class TrainingRun(Group):
    """A TrainingRun as the API server gives it."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.spec.resume) || !has(self.spec.resume.run) || "
            "self.spec.resume.run != self.metadata.name",
            holds=lambda r: r.spec.resume.run != r.metadata.name,
            message="run is the run's own name; write another run's, or from: latest without run "
            "for what an earlier run of this name left",
            field="spec.resume.run",
        ),
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

"""The pods of a run, as a user describes them: `spec.image` and `spec.workers`."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, StringConstraints

from trainingrun_operator.api.names import (
    AnnotationValue,
    ImageName,
    LabelKey,
    LabelValue,
    ObjectName,
)
from trainingrun_operator.api.quantities import CpuQuantity, MemoryQuantity
from trainingrun_trainer.rules import Group, Rule

OPERATOR_VARIABLES: Final = (
    *("MASTER_ADDR", "MASTER_PORT", "RANK", "LOCAL_RANK", "WORLD_SIZE"),
    *("OMP_NUM_THREADS", "HOME"),
)
OPERATOR_VARIABLE_PREFIXES: Final = ("PET_", "TRAININGRUN_", "KUBEFLOW_TRAINER_")


RESERVED_KEYS: Final = (
    "^([a-z0-9.-]*[.-])?(kubernetes[.]io|k8s[.]io|kubeflow[.]org|trainingrun[.]io)/"
)


class Image(Group):
    """The image of the workers; the runtime's own if absent."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="",
            holds=lambda i: len(set(i.pull_secrets)) == len(i.pull_secrets),
            message="a pull secret is given more than once; remove all but one",
            field="pullSecrets",
        ),
    )

    name: ImageName | None = Field(None, description="Repository with tag or digest.")
    pull_policy: Literal["Always", "IfNotPresent", "Never"] = Field(
        "IfNotPresent", description="When the node pulls the image."
    )
    pull_secrets: tuple[ObjectName, ...] = Field(
        (),
        max_length=8,
        description="Names of pull secrets in the run's namespace.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )


class SecretKey(Group):
    """One key of a secret in the run's namespace."""

    name: ObjectName = Field(description="The secret's name.")
    key: Annotated[
        str,
        StringConstraints(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$"),
        Field(examples=["token"]),
    ] = Field(description="The key in the secret.")


class EnvVar(Group):
    """One environment variable of the workers. `$(NAME)` in a value is kept as written."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="has(self.value) != has(self.secretKey)",
            holds=lambda e: (e.value is None) != (e.secret_key is None),
            message="value and secretKey exclude each other, and one is needed; "
            "give exactly one of them",
        ),
        Rule(
            cel=" && ".join(
                f"!self.name.startsWith('{prefix}')" for prefix in OPERATOR_VARIABLE_PREFIXES
            )
            + f" && !(self.name in {list(OPERATOR_VARIABLES)})",
            holds=lambda e: (
                not e.name.startswith(OPERATOR_VARIABLE_PREFIXES)
                and e.name not in OPERATOR_VARIABLES
            ),
            message="the operator sets this variable; remove it (spec.cpu.threads sets threads)",
            field="name",
        ),
    )

    name: Annotated[
        str,
        StringConstraints(min_length=1, max_length=256, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$"),
        Field(examples=["HF_HUB_OFFLINE"]),
    ] = Field(description="The variable's name.")
    value: Annotated[str, StringConstraints(max_length=4096)] | None = Field(
        None, description="A literal value."
    )
    secret_key: SecretKey | None = Field(None, description="The value of a secret's key.")


class Toleration(Group):
    """Lets workers onto nodes with a matching taint."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="has(self.key) || self.operator == 'Exists'",
            holds=lambda t: t.key is not None or t.operator == "Exists",
            message="without a key every taint is tolerated; write Exists, or give a key",
            field="operator",
        ),
        Rule(
            cel="!has(self.value) || self.operator == 'Equal'",
            holds=lambda t: t.value is None or t.operator == "Equal",
            message="Exists compares no value; remove value, or write Equal",
            field="value",
        ),
        Rule(
            cel="!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
            holds=lambda t: t.toleration_seconds is None or t.effect == "NoExecute",
            message="only NoExecute has a time; remove tolerationSeconds, or write NoExecute",
            field="tolerationSeconds",
        ),
    )

    key: LabelKey | None = Field(None, description="The taint's key; all if absent.")
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
            message="min is greater than max; change one of them",
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


class EnvFrom(Group):
    """A source of many variables: every key of a secret or a ConfigMap becomes one."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="has(self.secret) != has(self.configMap)",
            holds=lambda e: (e.secret is None) != (e.config_map is None),
            message="secret and configMap exclude each other, and one is needed; "
            "give exactly one of them",
        ),
    )

    secret: ObjectName | None = Field(None, description="A secret's name.")
    config_map: ObjectName | None = Field(None, description="A ConfigMap's name.")


def _own_keys_only(field: str) -> Rule:
    """Keys of Kubernetes', Kubeflow's and our own domains mean something to somebody else."""
    return Rule(
        cel=f"!has(self.{field}) || self.{field}.all(key, !key.matches('{RESERVED_KEYS}'))",
        holds=lambda w: not any(re.search(RESERVED_KEYS, key) for key in getattr(w, field)),
        message="a key of the domains kubernetes.io, k8s.io, kubeflow.org and trainingrun.io is "
        "not the user's to set; remove it, or write a key of your own domain",
        field=field,
    )


class Workers(Group):
    """How many pods train, and what each gets."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        _own_keys_only("labels"),
        _own_keys_only("annotations"),
        Rule(
            # A range upside down is a fault of its own, told once.
            cel="!has(self.elastic) || self.elastic.min > self.elastic.max || "
            "(self.elastic.min <= self.count && self.count <= self.elastic.max)",
            holds=lambda w: (
                w.elastic is None
                or w.elastic.min > w.elastic.max
                or w.elastic.min <= w.count <= w.elastic.max
            ),
            message="count is not between elastic.min and elastic.max; change one of them",
            field="count",
        ),
        Rule(
            cel="",
            holds=lambda w: len({e.name for e in w.env}) == len(w.env),
            message="a variable is given more than once; remove all but one",
            field="env",
        ),
    )

    count: int = Field(1, ge=1, le=1000, description="Pods that are meant to train.")
    elastic: Elastic | None = Field(
        None, description="Bounds of count; a fixed number of workers if absent."
    )
    processes_per_worker: Annotated[int, Field(ge=1, le=128)] | Literal["auto"] = Field(
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
    labels: dict[LabelKey, LabelValue] = Field(
        {}, max_length=32, description="Labels of the pods, beside the operator's."
    )
    annotations: dict[LabelKey, AnnotationValue] = Field(
        {}, max_length=32, description="Annotations of the pods."
    )
    env_from: tuple[EnvFrom, ...] = Field(
        (),
        max_length=16,
        description="Secrets and ConfigMaps whose every key becomes a variable. Those of env and "
        "the operator's own win.",
    )
    env: tuple[EnvVar, ...] = Field(
        (),
        max_length=128,
        description="Environment of the workers.",
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
        },
    )

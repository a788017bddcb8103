"""The environment of the workers: `spec.workers.env` and `envFrom`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from pydantic import Field, StringConstraints

from trainingrun_operator.api.names import ObjectName
from trainingrun_trainer.rules import Group, Rule

OPERATOR_VARIABLES: Final = (
    *("MASTER_ADDR", "MASTER_PORT", "RANK", "LOCAL_RANK", "WORLD_SIZE"),
    *("OMP_NUM_THREADS", "HOME"),
)
OPERATOR_VARIABLE_PREFIXES: Final = ("PET_", "TRAININGRUN_", "KUBEFLOW_TRAINER_")


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

"""The workers' image: `spec.image`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from trainingrun_operator.api.names import ImageName, ObjectName
from trainingrun_trainer.rules import Group, Rule


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

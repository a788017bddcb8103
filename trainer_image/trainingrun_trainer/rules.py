"""A rule that spans fields, stated once: as CEL for the API server, as Python for the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError


@dataclass(frozen=True)
class Rule:
    """A rule over one object.

    `cel` is evaluated by the API server with `self` bound to the object, `holds` by pydantic;
    the corpus of invalid runs in the tests shows that they agree. `cel` is empty where the schema
    itself states the rule (keys of a list). `message` is "what is wrong; what to write instead";
    `field` is the camelCase name of the field it is reported on, or "" for the object itself.
    """

    cel: str
    holds: Callable[[Any], bool]
    message: str
    field: str = ""


def _publish_rules(schema: dict[str, Any], model: type[Any]) -> None:
    """Put a group's rules into its JSON schema, as a CustomResourceDefinition has them."""
    rules = [
        {
            "rule": rule.cel,
            "message": rule.message,
            **({"fieldPath": f".{rule.field}"} if rule.field else {}),
        }
        for rule in model.RULES
        if rule.cel
    ]
    if rules:
        schema["x-kubernetes-validations"] = rules


class Group(BaseModel):
    """A group of fields: camelCase outside, immutable, unknown fields refused."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        json_schema_extra=_publish_rules,
    )

    RULES: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="after")
    def _rules_hold(self) -> Self:
        for rule in self.RULES:
            if not rule.holds(self):
                raise PydanticCustomError("rule", rule.message, {"field": rule.field})
        return self

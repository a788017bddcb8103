"""The CustomResourceDefinition, made from the models.

What a structural schema may hold: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
"""

from __future__ import annotations

from typing import Any, Final

from trainingrun_operator.api.changes import with_changes
from trainingrun_operator.api.names import NAME_MAX_LENGTH, RUN_NAME_PATTERN
from trainingrun_operator.api.schema import Schema, inlined, map_values
from trainingrun_operator.api.v1alpha1 import (
    GROUP,
    KIND,
    PLURAL,
    VERSION,
    TrainingRun,
    TrainingRunSpec,
)

SHORT_NAME: Final = "trun"
NAME_RULE: Final = {
    "rule": f"self.metadata.name.size() <= {NAME_MAX_LENGTH} && "
    f"self.metadata.name.matches('{RUN_NAME_PATTERN}')",
    "message": f"metadata.name has more than {NAME_MAX_LENGTH} characters or is no DNS label, and "
    "the workers' services are named after it; write at most "
    f"{NAME_MAX_LENGTH} of a-z, 0-9 and -, beginning with a letter",
    "fieldPath": ".metadata.name",
}

_COLUMNS: Final = (
    ("Phase", "string", ".status.phase", "The conditions in one word.", 0),
    ("Step", "string", ".status.progress.steps", "Optimiser steps done and to do.", 0),
    ("Loss", "number", ".status.progress.loss", "Last logged training loss.", 0),
    ("ETA", "string", ".status.progress.eta", "Time left at the present speed.", 0),
    ("Workers", "string", ".status.workers.summary", "Workers running and desired.", 0),
    ("Restarts", "integer", ".status.restarts.total", "Rank and pod restarts.", 0),
    ("Checkpoint", "integer", ".status.checkpoints.lastGood", "Newest verified checkpoint.", 0),
    ("Age", "date", ".metadata.creationTimestamp", "Time since creation.", 0),
    ("Message", "string", ".status.message", "Why the run is in its phase.", 1),
)
"""Name, type, path, description, and priority: 1 shows with `-o wide` only."""

_KEPT: Final = (
    *("type", "description", "default", "enum", "format", "pattern", "items"),
    *("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "maxProperties"),
    *("required", "x-kubernetes-validations", "x-kubernetes-list-type"),
    "x-kubernetes-list-map-keys",
)
"""What means the same in a structural schema; titles and examples have no place there."""


def custom_resource_definition() -> dict[str, Any]:
    """The whole CustomResourceDefinition, as plain data."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": KIND.lower(),
                "shortNames": [SHORT_NAME],
                "categories": ["all", "ml"],
            },
            "scope": "Namespaced",
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [_column(*column) for column in _COLUMNS],
                    "schema": {"openAPIV3Schema": open_api_schema()},
                }
            ],
        },
    }


def open_api_schema() -> Schema:
    """The structural schema of a TrainingRun."""
    tree = inlined(TrainingRun)
    spec, status = (structural(tree["properties"][name]) for name in ("spec", "status"))
    spec = with_changes(spec)
    spec["x-kubernetes-validations"] = [*spec["x-kubernetes-validations"], *_immutability()]
    del status["default"]  # the API server drops the status of an object that is created
    return {
        "type": "object",
        "description": tree["description"],
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": "The version of this schema."},
            "kind": {"type": "string", "description": f"Always {KIND}."},
            # A rule can only be reported on a field that the schema knows.
            "metadata": {"type": "object", "properties": {"name": {"type": "string"}}},
            "spec": spec,
            "status": status,
        },
        "x-kubernetes-validations": [NAME_RULE, *tree["x-kubernetes-validations"]],
    }


def structural(node: Schema) -> Schema:
    """A node of pydantic's schema as Kubernetes takes it.

    Raises:
        ValueError: the model says something that no structural schema can.
    """
    made: Schema = {key: node[key] for key in _KEPT if key in node}
    if made.get("default") in ([], {}):
        del made["default"]  # an absent list is an empty one
    if "const" in node:
        made["enum"] = [node["const"]]
    for bound, exclusive in (
        ("minimum", "exclusiveMinimum"),
        ("maximum", "exclusiveMaximum"),
    ):
        if exclusive in node:
            made |= {bound: node[exclusive], exclusive: True}
    if "anyOf" in node:
        return made | _int_or_string(node["anyOf"])
    match node.get("type"):
        case "array":
            made["items"] = structural(node["items"])
            made.setdefault("x-kubernetes-list-type", "atomic")
        case "object":
            made |= _group(node) if "properties" in node else _map(node)
        case None:
            raise ValueError(f"no structural schema can say {node}")
    return made


def _group(node: Schema) -> Schema:
    properties = {name: structural(child) for name, child in node["properties"].items()}
    # The API server fills in the defaults inside; repeated here they could drift apart.
    return {"properties": properties, **({"default": {}} if "default" in node else {})}


def _map(node: Schema) -> Schema:
    values = map_values(node)
    if values is None:
        raise ValueError(f"a map without a type for its values: {node}")
    made: Schema = {"additionalProperties": structural(values)}
    if longest := node.get("propertyNames", {}).get("maxLength"):
        made["x-kubernetes-validations"] = [_key_rule(longest)]
    return made


def _int_or_string(members: list[Schema]) -> Schema:
    """Bounds of a number hold for numbers only and a pattern for strings only, side by side."""
    number, text = sorted(members, key=lambda member: str(member["type"]))
    if (number["type"], text["type"]) != ("integer", "string"):
        raise ValueError(f"the one union of Kubernetes is integer or string, not {members}")
    pattern = f"^{text['const']}$" if "const" in text else text["pattern"]
    bounds: Schema = {key: number[key] for key in ("minimum", "maximum") if key in number}
    length = {"maxLength": text.get("maxLength", len(text.get("const", "")))}
    return {"x-kubernetes-int-or-string": True, "pattern": pattern, **bounds, **length}


def _key_rule(longest: int) -> dict[str, str]:
    return {
        "rule": f"self.all(key, size(key) <= {longest})",
        "message": f"a key has more than {longest} characters; shorten it",
    }


def _immutability() -> list[dict[str, str]]:
    """Transition rules: an optional field may neither change, nor come, nor go."""
    rules = []
    for name in TrainingRunSpec.IMMUTABLE:
        same = f"self.{name} == oldSelf.{name}"
        if _may_be_absent(name):
            same = f"has(self.{name}) == has(oldSelf.{name}) && (!has(self.{name}) || {same})"
        message = f"{name} defines the run and cannot change; make a new TrainingRun"
        rules.append({"rule": same, "message": message, "fieldPath": f".{name}"})
    return rules


def _may_be_absent(name: str) -> bool:
    field = TrainingRunSpec.model_fields[name]
    return not field.is_required() and field.default is None


def _column(
    name: str, kind: str, path: str, description: str, priority: int
) -> dict[str, str | int]:
    column: dict[str, str | int] = {
        "name": name,
        "type": kind,
        "jsonPath": path,
        "description": description,
    }
    return {**column, "priority": priority} if priority else column

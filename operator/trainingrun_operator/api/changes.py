"""What a change of each field does to a run that lives, for `plan`, the CRD and the reference."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from pydantic.alias_generators import to_camel

from trainingrun_operator.api.schema import Schema
from trainingrun_operator.api.v1alpha1 import TrainingRunSpec

APPLIED_AT_ONCE: Final[Mapping[str, frozenset[str]]] = {
    "policy": frozenset(
        {
            "suspend",
            "active_deadline_seconds",
            "ttl_seconds_after_finished",
            "max_pod_restarts",
            "max_restarts",
            "stall_timeout_seconds",
            "force_delete_after_seconds",
        }
    ),
}
"""Group and fields that the operator acts on without making the job again."""
APPLIED_AT_ONCE_IF_ELASTIC: Final[Mapping[str, frozenset[str]]] = {"workers": frozenset({"count"})}
"""The same of a run with spec.workers.elastic; a fixed run's rendezvous is made for its number."""


class Change(StrEnum):
    """What a change does, as the sentence that closes a field's description."""

    REFUSED = "Cannot change after creation."
    AT_ONCE = "A change is applied at once."
    AT_ONCE_IF_ELASTIC = (
        "A change is applied at once if elastic is set; else the pods are made anew."
    )
    PODS_ANEW = "A change makes the pods anew."


def change(path: str) -> Change:
    """What a change of the value at `path` does: in camelCase, without `spec.`."""
    group, _, rest = path.partition(".")
    if group in TrainingRunSpec.IMMUTABLE:
        return Change.REFUSED
    for change, fields in (
        (Change.AT_ONCE, APPLIED_AT_ONCE),
        (Change.AT_ONCE_IF_ELASTIC, APPLIED_AT_ONCE_IF_ELASTIC),
    ):
        if rest in map(to_camel, fields.get(group, ())):
            return change
    return Change.PODS_ANEW


def with_changes(spec: Schema, path: str = "") -> Schema:
    """The schema of the spec, or of the group at `path`, with what a change of each field does.

    A group says it for its fields if they all agree. A list says it for its items.
    """
    fields = {
        name: _closed(node, f"{path}.{name}".removeprefix("."))
        for name, node in spec["properties"].items()
    }
    return {**spec, "properties": fields}


def _closed(node: Schema, path: str) -> Schema:
    if "properties" in node:
        node = with_changes(node, path)
    changes = set(_changes(node, path))
    if len(changes) > 1:
        return node
    return {**node, "description": f"{node['description']} {changes.pop()}"}


def _changes(node: Schema, path: str) -> list[Change]:
    if not node.get("properties"):
        return [change(path)]
    below = node["properties"].items()
    return [found for name, child in below for found in _changes(child, f"{path}.{name}")]

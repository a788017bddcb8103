"""JSON schemas of the models as trees without references, as the CRD and the docs need them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

Schema = dict[str, Any]
"""One node of a JSON schema: plain dicts, lists, strings, numbers and booleans."""


def inlined(model: type[BaseModel]) -> Schema:
    """The model's schema with camelCase names, every `$ref` replaced by what it names.

    What stands beside a `$ref` (description, default) wins over what it names. Optional fields
    lose their null: an absent field is left out, never null.
    """
    schema = model.model_json_schema(by_alias=True)
    definitions: Schema = schema.pop("$defs", {})
    return _resolved(schema, definitions)


def _resolved(node: Schema, definitions: Schema) -> Schema:
    node = dict(node)
    if reference := node.pop("$ref", None):
        node = {**definitions[reference.removeprefix("#/$defs/")], **node}
        return _resolved(node, definitions)
    if "anyOf" in node:
        node = _without_null(node)
        if "$ref" in node:
            return _resolved(node, definitions)
    for key in ("properties", "patternProperties"):
        if key in node:
            node[key] = {name: _resolved(child, definitions) for name, child in node[key].items()}
    for key in ("items", "additionalProperties", "propertyNames"):
        if isinstance(node.get(key), dict):
            node[key] = _resolved(node[key], definitions)
    return node


def _without_null(node: Schema) -> Schema:
    """`X | None` is an optional X; of a true union only the null is dropped."""
    members = [member for member in node["anyOf"] if member.get("type") != "null"]
    if node.get("default", ...) is None:
        del node["default"]
    if len(members) > 1:
        return {**node, "anyOf": members}
    del node["anyOf"]
    return {**members[0], **node}


def child(node: Schema, step: str | int) -> Schema | None:
    """The schema of a field, a list's item or a map's value; None where there is none."""
    if isinstance(step, int):
        return _as_schema(node.get("items"))
    if step in node.get("properties", {}):
        return _as_schema(node["properties"][step])
    return map_values(node)


def map_values(node: Schema) -> Schema | None:
    """The schema of a map's values, None where the node is no map."""
    if values := node.get("patternProperties"):
        return _as_schema(next(iter(values.values())))
    return _as_schema(node.get("additionalProperties"))


def fields(node: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Every field under a node, depth first, as (`spec.workers.env[].name`, its schema)."""
    for name, field in node.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield here, field
        yield from fields(field, here)
        if isinstance(items := field.get("items"), dict):
            yield from fields(items, f"{here}[]")


def without_nulls(value: Any, node: Schema) -> Any:
    """The value without the nulls in fields that may be absent, as the API server prunes them."""
    if isinstance(value, Mapping):
        return {
            key: without_nulls(below, child(node, key) or {})
            for key, below in value.items()
            if below is not None or not _may_be_absent(node, key)
        }
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [without_nulls(below, child(node, 0) or {}) for below in value]
    return value


def _may_be_absent(node: Schema, key: str) -> bool:
    return key in node.get("properties", {}) and key not in node.get("required", ())


def _as_schema(value: object) -> Schema | None:
    return value if isinstance(value, dict) else None

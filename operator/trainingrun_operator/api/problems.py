"""What is wrong with a TrainingRun, in a user's words: the field, the fault, and the mend."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from trainingrun_operator.api.schema import Schema, child
from trainingrun_operator.api.v1alpha1 import schema
from trainingrun_trainer.config import DECIDED

_SHOWN_CHARACTERS = 60
_KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "a string",
    "boolean": "true or false",
    "array": "a list",
    "object": "a group of fields",
}


@dataclass(frozen=True)
class Problem:
    """One fault: `path` in camelCase with list indices, `message` as "what is wrong; the mend"."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


def problems(error: ValidationError) -> list[Problem]:
    """Every fault that `TrainingRun.parse` found, in the order of the fields."""
    found: dict[str, Problem] = {}
    for details in error.errors(include_url=False):
        problem = _problem(details)
        # The members of a union fail one by one; the first already names them all. Faults of a
        # group's rules stand beside each other.
        key = str(problem) if details["type"] == "rule" else problem.path
        found.setdefault(key, problem)
    return list(found.values())


def _problem(details: ErrorDetails) -> Problem:
    steps, node, parent = _locate(details["loc"])
    path, value = _path(steps), details["input"]
    match details["type"]:
        case "rule":
            field = details["ctx"]["field"]
            return Problem(".".join(filter(None, (path if steps else "", field))), details["msg"])
        case "missing":
            return Problem(path, f"is required but absent; write {_wanted(node)}")
        case "extra_forbidden":
            decided = _decided_by(path)
            unknown = f"is not a field; {_nearest(str(steps[-1]), parent)}"
            return Problem(path, f"is decided by {decided}; remove it" if decided else unknown)
        case "too_long":
            return Problem(path, f"has {len(value)} entries; write at most {_limit(node)}")
        case "string_too_long":
            limit = details["ctx"]["max_length"]
            return Problem(path, f"has {len(value)} characters; write at most {limit}")
        case _:
            return Problem(path, f"{_shown(value)}; write {_wanted(node)}")


def _locate(location: tuple[str | int, ...]) -> tuple[list[str | int], Schema, Schema]:
    """The location as far as it leads through fields, with the last node and the one before."""
    parent = node = schema()
    steps: list[str | int] = []
    for step in location:
        if step == "[key]":  # the fault is in a map's key, which the step before names
            return steps, parent.get("propertyNames", {}), parent
        if "anyOf" in node:  # the step names a member of a union, which no user knows
            break
        steps.append(step)
        parent, node = node, child(node, step) or {}
    return steps, node, parent


def _path(steps: Iterable[str | int]) -> str:
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".") or "(document)"


def _shown(value: object) -> str:
    if value is None:
        return "is empty"
    if isinstance(value, dict):
        return "is a group of fields"
    if isinstance(value, (list, tuple)):
        return "is a list"
    text = repr(value) if isinstance(value, str) else str(value).lower()
    return f"is {text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + '...'}"


def _wanted(node: Schema) -> str:
    """What would be right. An example tells a person more than a pattern does."""
    if examples := node.get("examples"):
        return f"a value like {' or '.join(map(str, examples))}"
    if members := node.get("anyOf"):
        return " or ".join(map(_wanted, members))
    if "const" in node:
        return str(node["const"])
    if "enum" in node:
        return f"one of {', '.join(node['enum'])}" if len(node["enum"]) > 1 else node["enum"][0]
    return _KINDS.get(node.get("type", ""), "something else") + _range(node)


def _range(node: Schema) -> str:
    low, above, high, below = (
        _number(node[key]) if key in node else ""
        for key in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
    )
    if above or below:
        ends = (
            f"above {above}" if above else f"of at least {low}",
            f"below {below}" if below else "",
        )
        return f" {', '.join(filter(None, (*ends, high and f'at most {high}')))}"
    if low and high:
        return f" from {low} to {high}"
    return f" of at least {low}" if low else ""


def _number(value: float) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _limit(node: Schema) -> int:
    return int(node["maxItems"] if "maxItems" in node else node["maxProperties"])


def _decided_by(path: str) -> str | None:
    """What decides a TrainingArgument that a user may not set; written in either style."""
    group, _, name = path.rpartition(".")
    if group != "spec.training.arguments":
        return None
    return DECIDED.get(re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name))


def _nearest(name: str, parent: Schema) -> str:
    known = list(parent.get("properties", {}))
    if close := difflib.get_close_matches(_camel(name), known, n=1):
        return f"write {close[0]}"
    return f"remove it, or use one of {', '.join(sorted(known))}"


def _camel(name: str) -> str:
    first, *rest = name.replace("-", "_").split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)

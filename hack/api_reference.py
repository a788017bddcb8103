"""docs/api.md: every field of the API, from the models that also make the CRD."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import yaml

from trainingrun_operator.api.changes import Change, change
from trainingrun_operator.api.names import NAME_MAX_LENGTH
from trainingrun_operator.api.schema import Schema, fields, inlined, map_values
from trainingrun_operator.api.v1alpha1 import API_VERSION, TrainingRun
from trainingrun_trainer.config import DECIDED

_INTRODUCTION: Final = f"""\
# TrainingRun `{API_VERSION}`

Made by `python -m hack.generate` from the models in `operator/trainingrun_operator/api` and
`trainer_image/trainingrun_trainer/config`; edit those.

`kubectl explain trainingrun.spec` shows the same on a cluster. A run that breaks a bound or a rule
is refused at `kubectl apply`; `kubectl trainingrun validate -f FILE` says so without a cluster;
[validation.md](validation.md) lists every rule, [lifecycle.md](lifecycle.md) what becomes of a run.
`metadata.name` has at most {NAME_MAX_LENGTH} characters of a-z, 0-9 and -, and begins with a
letter, because the workers' services are named after it.

The column Change says what a change does to a run that lives: refused at apply, applied at once, or
applied by making the pods anew, which go on from the last checkpoint. After the end a change is not
heard ([lifecycle.md](lifecycle.md)).
"""
_SPEC_TABLE: Final = (
    "| Field | Type | Default | Bounds | Change | Description |\n"
    "| --- | --- | --- | --- | --- | --- |\n"
)
_STATUS_TABLE: Final = (
    "| Field | Type | Default | Bounds | Description |\n| --- | --- | --- | --- | --- |\n"
)
_CHANGES: Final = {
    Change.REFUSED: "Never",
    Change.AT_ONCE: "At once",
    Change.AT_ONCE_IF_ELASTIC: "At once if elastic, else pods anew",
    Change.PODS_ANEW: "Pods anew",
}
_NUMBERS: Final = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")


def markdown(example: dict[str, Any]) -> str:
    """The whole page. `example` is a TrainingRun that sets every group, shown piece by piece."""
    tree = inlined(TrainingRun)
    spec, status = tree["properties"]["spec"], tree["properties"]["status"]
    groups = spec["properties"].items()
    parts = [
        _INTRODUCTION,
        *(_group(name, node, spec, example["spec"]) for name, node in groups),
        "## Rules that span groups\n\n" + _rules_of_the_run(tree) + _rules(spec),
        f"## status\n\n{status['description']}\n\n{_STATUS_TABLE}{_rows(fields(status, 'status'))}",
    ]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _group(name: str, node: Schema, spec: Schema, example: dict[str, Any]) -> str:
    required = " Required." if name in spec.get("required", ()) else ""
    own = [] if node.get("properties") else [(name, node)]
    rows = _rows(iter([*own, *fields(node, name)]), _change)
    shown = yaml.safe_dump({name: example[name]}, sort_keys=False, width=100)
    rules = _rules(node, name)
    return (
        f"## spec.{name}\n\n{node['description']}{required}\n\n{_SPEC_TABLE}{rows}\n"
        + (f"{rules}\n" if rules else "")
        + f"```yaml\n{shown}```\n"
        + (_decided() if name == "training" else "")
    )


def _decided() -> str:
    rows = "".join(f"| `{name}` | {what} |\n" for name, what in DECIDED.items())
    return (
        "\n`training.arguments` has no other TrainingArguments, because something else decides "
        "them ([why](adr/0008-training-arguments.md)):\n\n"
        f"| TrainingArgument | Decided by |\n| --- | --- |\n{rows}"
    )


def _change(path: str) -> str:
    return f"{_CHANGES[change(path.partition('[')[0])]} | "


def _rows(
    entries: Iterator[tuple[str, Schema]], more: Callable[[str], str] = lambda path: ""
) -> str:
    return "".join(
        f"| `{path}` | {_type(node)} | {_default(node)} | {bounds(node)} | "
        f"{more(path)}{cell(node['description'])} |\n"
        for path, node in entries
    )


def _type(node: Schema) -> str:
    if "anyOf" in node:
        return " or ".join(_type(member) for member in node["anyOf"])
    if "const" in node:
        return f"`{node['const']}`"
    if "enum" in node:
        return " \\| ".join(f"`{value}`" for value in node["enum"])
    if node["type"] == "array":
        return f"list of {_type(node['items'])}"
    if (values := map_values(node)) is not None:
        return f"map of string to {_type(values)}"
    return "time" if node.get("format") == "date-time" else str(node["type"])


def _default(node: Schema) -> str:
    default = node.get("default")
    if default is None or default in ([], {}) or "properties" in node:
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def bounds(node: Schema) -> str:
    """What the schema demands of a value, as a cell of a table."""
    if "anyOf" in node:
        return "; ".join(filter(None, map(bounds, node["anyOf"])))
    said = []
    low, above, high, below = (node.get(key) for key in _NUMBERS)
    if above is not None or below is not None:
        lowest = f"above {above}" if above is not None else f"at least {low}"
        said.append(f"{lowest}, {f'below {below}' if below is not None else f'at most {high}'}")
    elif low is not None:
        said.append(f"{low} to {high}" if high is not None else f"at least {low}")
    for key, noun in (
        ("maxLength", "characters"),
        ("maxItems", "items"),
        ("maxProperties", "keys"),
    ):
        if key in node:
            said.append(f"at most {node[key]} {noun}")
    if "pattern" in node:
        said.append(f"`{cell(node['pattern'])}`")
    return "; ".join(said)


def _rules(node: Schema, path: str = "") -> str:
    """The rules of a node and of everything below it."""
    entries = ((path, node), *fields(node, path), *_items(node, path))
    return "".join(
        f"- `{_on(here, rule)}`: {rule['message']}.\n"
        for here, below in entries
        for rule in (below.get("x-kubernetes-validations", ()) if path or below is node else ())
    )


def _rules_of_the_run(tree: Schema) -> str:
    return "".join(
        f"- `{rule['fieldPath'].removeprefix('.')}`: {rule['message']}.\n"
        for rule in tree["x-kubernetes-validations"]
    )


def _items(node: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    for here, field in fields(node, path):
        if isinstance(items := field.get("items"), dict):
            yield f"{here}[]", items


def _on(path: str, rule: dict[str, str]) -> str:
    return ".".join(filter(None, ("spec", path))) + rule.get("fieldPath", "")


def cell(text: str) -> str:
    """Text that cannot end a cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ")

"""YAML files as kubectl reads them, with the line of whatever is wrong."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import yaml

from trainingrun_operator.api.problems import Problem
from trainingrun_operator.api.v1alpha1 import GROUP, KIND


@dataclass(frozen=True)
class Document:
    """One YAML document: the file it stands in (`-` for stdin), its number from 1, its content."""

    file: str
    number: int
    manifest: Any

    @property
    def is_training_run(self) -> bool:
        """Whether it means to be one, also where the other half of its type is misspelt."""
        if not isinstance(self.manifest, dict):
            return False
        group = str(self.manifest.get("apiVersion", "")).partition("/")[0]
        return group == GROUP or self.manifest.get("kind") == KIND


class UnreadableError(Exception):
    """A file that cannot be read as YAML."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def documents(file: str) -> Iterator[Document]:
    """The documents of a file, `-` for stdin, empty ones left out.

    Raises:
        UnreadableError: no such file, or no YAML.
    """
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise UnreadableError(
            Problem(file, f"cannot be read ({reason}); give a YAML file, or - for stdin")
        ) from error
    try:
        loaded = parsed(text)
    except yaml.YAMLError as error:
        raise UnreadableError(_syntax_problem(file, error)) from error
    for number, manifest in enumerate(loaded, 1):
        if manifest is not None:
            yield Document(file, number, manifest)


def parsed(text: str) -> list[Any]:
    """The documents in a text, as the API server would read them.

    Raises:
        yaml.YAMLError: it is no YAML.
    """
    # _Loader is PyYAML's safe loader, made stricter.
    return list(yaml.load_all(text, Loader=_Loader))


def _syntax_problem(file: str, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    path = file if mark is None else f"{file}, line {mark.line + 1}"
    what = getattr(error, "problem", None) or str(error)
    return Problem(path, f"is no YAML: {what}; correct the line, or quote the value")


_FLOAT: Final = "tag:yaml.org,2002:float"
_NUMBERS: Final = frozenset({"tag:yaml.org,2002:int", _FLOAT})


class _Loader(yaml.SafeLoader):
    """Reads what the API server's YAML reads, and refuses a key that is given twice, as it does."""

    bool_values: ClassVar[dict[str, bool]] = {**yaml.SafeLoader.bool_values, "y": True, "n": False}

    def resolve(self, kind: type[yaml.Node], value: str | None, implicit: Any) -> Any:
        # PyYAML alone knows numbers to the base 60 (12:30) and dates.
        tag: str = super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]
        sixties = tag in _NUMBERS and ":" in (value or "")
        return "tag:yaml.org,2002:str" if sixties or tag == "tag:yaml.org,2002:timestamp" else tag

    def construct_number(self, node: yaml.ScalarNode) -> int | float:
        # YAML becomes JSON on its way to the API server, and there 1e2 is written 100.
        number = self.construct_yaml_float(node)
        return int(number) if number.is_integer() else number

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"{key.value} is given twice", key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^[yYnN]$"), list("yYnN"))
_Loader.add_constructor(_FLOAT, _Loader.construct_number)
# The API server's YAML takes 3e-5 for a number; PyYAML wants 3.0e-5.
_Loader.add_implicit_resolver(
    _FLOAT,
    re.compile(r"^[-+]?[0-9]+(?:\.[0-9]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)

"""The printed list of rules is whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.operator.test_crd import ALL

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "validation.md").read_text()
TRANSITIONS = "defines the run and cannot change"


def refused_by(folder: str, how: str) -> set[str]:
    """The fields that the sources of a folder name where they refuse by this."""
    texts = (file.read_text() for file in (ROOT / folder).rglob("*.py"))
    calls = (call for text in texts for call in re.findall(rf"{how}\((.*?)\n\n", text, re.S))
    return {field for call in calls for field in re.findall(r'"(spec\.[A-Za-z.]+)"', call)}


@pytest.mark.parametrize(
    "message",
    [
        rule["message"]
        for path, node in ALL
        for rule in node.get("x-kubernetes-validations", ())
        if path.startswith("spec") and TRANSITIONS not in rule["message"]
    ],
)
def test_every_rule_of_the_schema_is_printed(message: str) -> None:
    assert message in PAGE


@pytest.mark.parametrize(
    ("folder", "how"),
    [
        ("operator/trainingrun_operator/plan", r"refusals\.add"),
        ("trainer_image", "raise UserError"),
    ],
)
def test_every_field_that_is_refused_later_is_printed(folder: str, how: str) -> None:
    found = refused_by(folder, how)

    assert found
    assert {field for field in found if f"| `{field}` |" not in PAGE} == set()

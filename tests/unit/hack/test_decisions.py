"""The numbers by which docs/adr is cited."""

from __future__ import annotations

from pathlib import Path

DECISIONS = sorted((Path(__file__).parents[3] / "docs" / "adr").glob("*.md"))


def test_decisions_are_numbered_without_a_gap_or_a_double() -> None:
    assert [int(file.name[:4]) for file in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_a_decision_s_title_has_the_number_of_its_file() -> None:
    titles = [file.read_text().split(".", maxsplit=1)[0] for file in DECISIONS]
    assert titles == [f"# {int(file.name[:4])}" for file in DECISIONS]

"""The table at the end of `make demo` and `make local`: how the run went, in one look."""

from collections.abc import Mapping
from typing import Any


def rows(summary: Mapping[str, Any], restarts: int) -> list[tuple[str, str]]:
    """The lines of the table from a run's summary (`status.summary`, or the trainer's own)."""
    first = summary.get("firstEvaluation", {}).get("perplexity")
    last = summary.get("evaluation", {}).get("perplexity")
    return [
        ("steps", str(summary.get("steps", "-"))),
        (
            "training loss",
            f"{_number(summary.get('firstLoss'))} -> {_number(summary.get('lastLoss'))}",
        ),
        ("held-out perplexity", f"{_number(first)} -> {_number(last)}"),
        ("tokens per second", _number(summary.get("tokensPerSecond"), 0)),
        ("restarts", str(restarts)),
        ("checkpoint", summary.get("checkpoint") or "-"),
        ("training time", f"{_number(summary.get('wallSeconds'), 0)} s"),
    ]


def render(lines: list[tuple[str, str]]) -> str:
    """Two aligned columns between two rules."""
    left = max(len(name) for name, _ in lines)
    body = [f"  {name:<{left}}  {value}" for name, value in lines]
    rule = "-" * max(map(len, body))
    return "\n".join([rule, *body, rule])


def _number(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"

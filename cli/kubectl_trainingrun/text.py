"""Data and columns as text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from kubectl_trainingrun.manifest_text import plain_yaml

Row = Sequence[str]


def data(value: Any, style: str) -> str:
    """A value as `json` or `yaml`, with its last line's end."""
    return json.dumps(value, indent=2) + "\n" if style == "json" else plain_yaml(value)


def aligned(rows: Sequence[Row], indent: str = "") -> Iterator[str]:
    """Columns padded to the widest cell, the last one left ragged."""
    widths = [max((len(cell) for cell in column), default=0) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)]
        yield (indent + "  ".join([*cells, row[-1]])).rstrip()


def number(value: float | None, digits: int = 4) -> str:
    """A number in few digits, a dash for none."""
    return "-" if value is None else f"{value:.{digits}g}"

"""A wrong TrainingRun: what it is, the field that every ring must name, a word of why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Wrong:
    """`groups` as in `document`. The server's word is looked for in its message."""

    what: str
    groups: str
    field: str
    word: str
    name: str = "squad"

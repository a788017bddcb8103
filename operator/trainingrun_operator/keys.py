"""The key of a run: what queues, caches and log lines know it by."""

from __future__ import annotations

from typing import NamedTuple


class Key(NamedTuple):
    """Namespace and name."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"

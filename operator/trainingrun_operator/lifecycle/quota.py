"""Whether a namespace's quotas leave room for a run's workers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from trainingrun_operator.api.quantities import amount

MEMORY: Final = "memory"
_SCOPES: Final = frozenset({"NotTerminating", "NotBestEffort"})
"""Scopes that hold for every worker: no deadline of its own, and requests."""


@dataclass(frozen=True)
class Share:
    """What one worker takes of a namespace: a number of CPUs, and bytes."""

    cpus: Decimal = Decimal(0)
    memory: Decimal = Decimal(0)

    def of(self, resource: str) -> Decimal | None:
        """How much of a quota's resource a worker takes; None if it is not known."""
        kind = resource.removeprefix("requests.").removeprefix("limits.")
        return {
            "pods": Decimal(1),
            "count/pods": Decimal(1),
            "cpu": self.cpus,
            MEMORY: self.memory,
        }.get(kind)


@dataclass(frozen=True)
class Quota:
    """A ResourceQuota that holds for the workers, as far as it can be told."""

    name: str
    hard: Mapping[str, Decimal]
    used: Mapping[str, Decimal]

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Quota | None:
        """The quota in a raw object; None if it does not count what a worker surely is."""
        spec, status = raw.get("spec") or {}, raw.get("status") or {}
        if spec.get("scopeSelector") or not _SCOPES.issuperset(spec.get("scopes") or ()):
            return None
        hard = status.get("hard") or spec.get("hard") or {}
        return cls(raw["metadata"]["name"], _amounts(hard), _amounts(status.get("used") or {}))


@dataclass(frozen=True)
class Shortfall:
    """A resource of a quota that is too small for the run, or used up for now."""

    quota: str
    resource: str
    needed: Decimal
    hard: Decimal
    used: Decimal

    @property
    def for_good(self) -> bool:
        """Whether the run would not fit if it were alone."""
        return self.needed > self.hard

    def __str__(self) -> str:
        needed, hard = _shown(self.resource, self.needed), _shown(self.resource, self.hard)
        if self.for_good:
            return (
                f"spec.workers: the run needs {needed} of {self.resource}, and quota {self.quota} "
                f"allows {hard}; lower spec.workers.resources or spec.workers.count, or have the "
                "quota raised"
            )
        left = _shown(self.resource, max(self.hard - self.used, Decimal(0)))
        return (
            f"spec.workers: the run needs {needed} of {self.resource}, and quota {self.quota} has "
            f"{left} of {hard} left; it starts by itself when enough is free"
        )


def shortfall(quotas: Iterable[Quota], workers: int, share: Share) -> Shortfall | None:
    """The first thing that so many workers would need and do not get, one for good before others.

    Only what the quotas count already and leave is looked at: who comes first gets it, as always.
    """
    found = [
        Shortfall(quota.name, resource, workers * each, hard, used)
        for quota in quotas
        for resource, hard in sorted(quota.hard.items())
        if (each := share.of(resource)) is not None
        and (used := quota.used.get(resource, Decimal(0))) + workers * each > hard
    ]
    return min(found, key=lambda short: not short.for_good, default=None)


def _amounts(raw: Mapping[str, Any]) -> dict[str, Decimal]:
    read = {str(resource): amount(str(quantity)) for resource, quantity in raw.items()}
    return {resource: number for resource, number in read.items() if number is not None}


def _shown(resource: str, number: Decimal) -> str:
    return f"{number / 2**20:.0f}Mi" if resource.endswith(MEMORY) else f"{number.normalize():f}"

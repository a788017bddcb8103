"""The ways to train that are compared, what came of each, and the verdict. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from trainingrun_trainer.config import BackendName, Ipex

TOLERANCE: Final = 0.01
"""Of a loss, at every logged step. In bfloat16, sums in another order were seen to differ by a few
thousandths after 40 steps; IPEX's own bfloat16, which trains wrongly, by more than a tenth."""


@dataclass(frozen=True)
class Way:
    """One way to train the same model on the same samples."""

    ipex: Ipex
    backend: BackendName
    ranks: int

    @property
    def name(self) -> str:
        stack = "stock" if self.ipex is Ipex.OFF else f"IPEX {self.ipex}"
        return f"{stack}, {self.backend}, {self.ranks} rank{'s' if self.ranks > 1 else ''}"


WAYS: Final = tuple(
    Way(ipex, backend, ranks)
    for ipex, backend, ranks in product(
        (Ipex.OFF, Ipex.FLOAT32), (BackendName.GLOO, BackendName.CCL), (1, 2)
    )
)
"""The first is what the others are compared with."""


@dataclass(frozen=True)
class Trained:
    """What came of a way: losses by step, or why it cannot be had here."""

    losses: Mapping[int, float]
    samples_per_second: float | None = None
    obstacle: str = ""


def compared(trained: Mapping[Way, Trained]) -> list[tuple[str, ...]]:
    """The table: a heading, then a row for each way in order."""
    reference = trained[WAYS[0]]
    return [
        ("way", "last loss", "samples/s", "greatest difference", "verdict"),
        *(_row(way, trained[way], reference) for way in WAYS),
    ]


def difference(losses: Mapping[int, float], reference: Mapping[int, float]) -> float:
    """The greatest of all steps, relative to the reference; infinite where a loss is missing."""
    if not reference or losses.keys() != reference.keys():
        return float("inf")
    apart = [abs(losses[step] - loss) / abs(loss) for step, loss in reference.items()]
    return float("inf") if any(map(math.isnan, apart)) else max(apart)


def same(trained: Mapping[Way, Trained]) -> bool:
    """Whether every way that can be had came to the losses of the first, which must be had."""
    reference = trained[WAYS[0]]
    return not reference.obstacle and all(
        _agrees(way, reference) for way in trained.values() if not way.obstacle
    )


def in_columns(rows: Sequence[tuple[str, ...]]) -> str:
    """Rows as text, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _agrees(one: Trained, reference: Trained) -> bool:
    return difference(one.losses, reference.losses) <= TOLERANCE


def _row(way: Way, one: Trained, reference: Trained) -> tuple[str, ...]:
    if one.obstacle:
        return (way.name, "-", "-", "-", f"cannot be had: {one.obstacle}")
    speed = "-" if one.samples_per_second is None else f"{one.samples_per_second:.1f}"
    return (
        way.name,
        f"{one.losses[max(one.losses)]:.4f}" if one.losses else "-",
        speed,
        f"{difference(one.losses, reference.losses):.2%}",
        "same" if _agrees(one, reference) else "TRAINS DIFFERENTLY",
    )

"""What a hang is told as: which rank is to blame, and where it stood. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trainingrun_trainer.launcher.vigil import Sight
from trainingrun_trainer.stacks import innermost

_TORCH = "/torch/"
"""A rank whose innermost frame is in torch computes, or waits in a collective for the others."""


@dataclass(frozen=True)
class Hang:
    """`rank` is None if every rank of this worker only waits for another one."""

    rank: int | None
    detail: str


def hang(
    seconds: Mapping[int, float], sights: Mapping[int, Sight], dumps: Mapping[int, str], first: int
) -> Hang:
    """The hang of a worker whose ranks (by local rank; `first` is the first one's number) are
    still for so many seconds.

    A stopped rank is to blame before one that stands in code outside of torch, as in a user's loop
    or a read that never ends; a rank in a collective is waiting for somebody else.
    """
    places = {local: innermost(dumps.get(local, "")) for local in sights}
    for local, sight in sights.items():
        if sight.stopped:
            return _told(local, seconds, first, "it was stopped by a signal", places[local])
    for local, place in places.items():
        if place is not None and _TORCH not in place[0]:
            return _told(local, seconds, first, "it stood still", place)
    longest = max(seconds.values(), default=0.0)
    return Hang(None, f"all ranks waited for another worker's for {longest:.0f} s")


def _told(
    local: int, seconds: Mapping[int, float], first: int, what: str, place: tuple[str, str] | None
) -> Hang:
    still = seconds.get(local, max(seconds.values(), default=0.0))
    where = f" at {place[1]}" if place is not None else ""
    rank = first + local
    return Hang(rank, f"rank {rank} made no progress for {still:.0f} s: {what}{where}")

"""When a round of the rendezvous is closed, and when a new one is wanted. Pure.

One coordinator, beside the store, holds a `Hall`: who is there, who waits, who is in the present
round. Facts come in through `arrived`, `beaten` and `without_dead`; `decide` says what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from trainingrun_trainer.launcher.arrivals import Arrival

GONE: Final = "gone"
"""The heartbeat of a worker that leaves in order: it is not waited for."""


@dataclass(frozen=True)
class Terms:
    """What the coordinator goes by. Times are in seconds.

    `join_grace` is how long a gathering waits for workers that are meant to come but are not
    there: a pod that is made again with its image on the node is back in 5 to 10 s.
    `dead_after` is how long a heartbeat may stand still: six beats, so that a busy machine is
    not taken for a dead one.
    """

    meant: int
    sizes: frozenset[int]
    """Numbers of workers that may train: between minimum and maximum, and dividing the batch."""
    join_grace: float = 15.0
    dead_after: float = 3.0

    def largest(self, workers: int) -> int | None:
        """The largest allowed round that `workers` can form."""
        return max((size for size in self.sizes if size <= workers), default=None)


@dataclass(frozen=True)
class Presence:
    """One worker as the coordinator sees it. Times are the coordinator's own clock."""

    arrival: Arrival
    waiting: bool
    since: float
    beat: str
    beat_at: float


@dataclass(frozen=True)
class Hall:
    """All that is known. `members` are the workers of round `number`, 0 before the first."""

    number: int = 0
    members: tuple[int, ...] = ()
    present: Mapping[int, Presence] = field(default_factory=dict)

    @property
    def waiting(self) -> tuple[int, ...]:
        return tuple(sorted(w for w, p in self.present.items() if p.waiting))

    @property
    def training(self) -> tuple[int, ...]:
        """Members of the present round that are alive and have not come back."""
        return tuple(w for w in self.members if w in self.present and not self.present[w].waiting)


@dataclass(frozen=True)
class Close:
    """Form the next round of these workers, in this order of ranks."""

    members: tuple[int, ...]


@dataclass(frozen=True)
class Reform:
    """Ask the workers that still train to come to a new round."""


@dataclass(frozen=True)
class Wait:
    """Nothing to do yet; `why` is for people."""

    why: str


Decision = Close | Reform | Wait


def arrived(hall: Hall, arrival: Arrival, beat: str, now: float) -> Hall:
    """A worker came. A new incarnation takes the place of the old one of the same index."""
    presence = Presence(arrival, waiting=True, since=now, beat=beat, beat_at=now)
    return replace(hall, present={**hall.present, arrival.worker: presence})


def beaten(hall: Hall, worker: int, beat: str, now: float) -> Hall:
    """A worker's heartbeat was read."""
    presence = hall.present.get(worker)
    if presence is None or presence.beat == beat:
        return hall
    if beat == GONE:
        return _without(hall, {worker})
    return replace(
        hall, present={**hall.present, worker: replace(presence, beat=beat, beat_at=now)}
    )


def without_dead(hall: Hall, terms: Terms, now: float) -> Hall:
    """Workers whose heartbeat stands still are not there any more."""
    dead = {w for w, p in hall.present.items() if now - p.beat_at > terms.dead_after}
    return _without(hall, dead) if dead else hall


def decide(hall: Hall, terms: Terms, now: float) -> Decision:
    """What to do now."""
    waiting, training = hall.waiting, hall.training
    if training and training == hall.members:
        size = terms.largest(len(training) + len(waiting))
        grows = bool(waiting) and size is not None and size > len(training)
        return Reform() if grows else Wait("the round is whole")
    if training:
        return Reform()
    return _gather(hall, terms, now) if waiting else Wait("nobody is here")


def _gather(hall: Hall, terms: Terms, now: float) -> Close | Wait:
    """Whether the workers that wait, and nobody else is there, are enough."""
    waiting = hall.waiting
    size = terms.largest(len(waiting))
    if size is None:
        return Wait(f"{len(waiting)} of at least {min(terms.sizes)} workers are here")
    waited = now - min(hall.present[worker].since for worker in waiting)
    if len(waiting) >= terms.meant or waited >= terms.join_grace:
        return Close(waiting[:size])
    return Wait(f"{len(waiting)} of {terms.meant} workers are here")


def closed(hall: Hall, members: tuple[int, ...]) -> Hall:
    """The hall after a round was formed of `members`."""
    present = {w: replace(p, waiting=False) if w in members else p for w, p in hall.present.items()}
    return Hall(number=hall.number + 1, members=members, present=present)


def _without(hall: Hall, workers: set[int]) -> Hall:
    return replace(hall, present={w: p for w, p in hall.present.items() if w not in workers})

"""Which ranks hang. Pure: what is seen of each rank comes in, with the time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trainingrun_trainer.heartbeat import Activity, Beat


@dataclass(frozen=True)
class Sight:
    """One rank at one moment. `stopped`: the kernel does not run it (SIGSTOP, a frozen cgroup)."""

    beat: Beat
    stopped: bool = False
    alive: bool = True


class Vigil:
    """Watches the ranks of one worker through one round.

    A rank hangs if, for longer than `limit` seconds, it was stopped, or was due to beat and did
    not. Nobody is judged by a time in which the launcher itself did not look: if the whole machine
    stood still, so did the ranks.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._seen: dict[int, Sight] = {}
        self._since: dict[int, float] = {}
        self._looked: float | None = None

    def hanging(self, sights: Mapping[int, Sight], now: float) -> dict[int, float]:
        """For how many seconds each rank that hangs has done so, by local rank."""
        absent = self._looked is not None and now - self._looked > self._limit / 2
        self._looked = now
        for rank, sight in sights.items():
            if absent or self._seen.get(rank) != sight:
                self._seen[rank], self._since[rank] = sight, now
        return {
            rank: now - self._since[rank]
            for rank, sight in sights.items()
            if now - self._since[rank] > self._limit
            and (sight.stopped or sight.beat.activity is Activity.STEPPING)
        }

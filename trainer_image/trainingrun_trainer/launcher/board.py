"""The rendezvous store, as verbs: who came, who lives, which round, how it ended.

Every operation either answers at once or raises `StoreLostError`: a worker must notice within
seconds that the store's host is gone.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from pydantic import TypeAdapter
from torch.distributed import DistStoreError

from trainingrun_trainer.launcher.arrivals import Arrival, Verdict
from trainingrun_trainer.stores import PrefixStore, TCPStore

ANSWER_WITHIN: Final = timedelta(seconds=5)
"""The store answers in milliseconds; a host that takes this long is gone."""

_ARRIVALS: Final = TypeAdapter(tuple[Arrival, ...])


class StoreLostError(ConnectionError):
    """The store cannot be reached."""


class Board:
    """One connection to the store. Not for several threads at once: calls wait for each other."""

    def __init__(self, store: TCPStore) -> None:
        self._tcp = store
        self._store = PrefixStore("rendezvous", store)

    @classmethod
    def host(cls, port: int) -> Board:
        """Opens a store here, reachable from other hosts; port 0 takes a free one.

        Raises:
            StoreLostError: the port is taken.
        """
        with _lost():
            # "localhost" is only how this process reaches its own server, which listens on every
            # address: the pod's own DNS name may not be published yet.
            store = TCPStore(
                "localhost",
                port,
                is_master=True,
                wait_for_workers=False,
                timeout=ANSWER_WITHIN,
            )
        return cls(store)

    @classmethod
    def join(cls, host: str, port: int) -> Board:
        """Connects to the store of another process.

        Raises:
            StoreLostError: nobody answers there (yet).
        """
        with _lost():
            # TCPStore's own connect retries for its whole time-out and prints each failure.
            socket.create_connection((host, port), timeout=2).close()
            store = TCPStore(host, port, is_master=False, timeout=ANSWER_WITHIN)
        return cls(store)

    @property
    def port(self) -> int:
        return int(self._tcp.port)

    def prefixed(self, prefix: str) -> PrefixStore:
        """A part of the same store for one round."""
        return PrefixStore(prefix, self._tcp)

    # --- what workers say -----------------------------------------------------------------------

    def arrive(self, arrival: Arrival, beat: str) -> None:
        with _lost():
            self._store.set(f"beat/{arrival.worker}", beat)
            turn = self._store.add("arrivals", 1)
            self._store.set(f"arrival/{turn}", arrival.model_dump_json(by_alias=True))

    def beat(self, worker: int, value: str) -> None:
        with _lost():
            self._store.set(f"beat/{worker}", value)

    def wanted(self) -> int:
        """The number of the round the coordinator wants; greater than the present one: come."""
        with _lost():
            return int(self._store.get("wanted"))

    def verdict(self) -> Verdict | None:
        with _lost():
            if not self._store.check(["verdict"]):
                return None
            return Verdict.model_validate_json(self._store.get("verdict"))

    def pronounce(self, verdict: Verdict) -> None:
        with _lost():
            self._store.set("verdict", verdict.model_dump_json(by_alias=True))

    def latest_round(self) -> int:
        with _lost():
            return int(self._store.get("latest"))

    def round_members(self, number: int, within: timedelta) -> tuple[Arrival, ...] | None:
        """The members of a round in the order of ranks; None if it is not closed by then."""
        key = f"round/{number}"
        with _lost():
            try:
                self._store.wait([key], within)
            except DistStoreError:
                return None
            return _ARRIVALS.validate_json(self._store.get(key))

    def say_returned(self, number: int) -> None:
        with _lost():
            self._store.add(f"returned/{number}", 1)

    def returned(self, number: int) -> int:
        """How many members' ranks have returned from a round by themselves."""
        with _lost():
            return int(self._store.add(f"returned/{number}", 0))

    # --- what the coordinator says and reads ----------------------------------------------------

    def open(self) -> None:
        with _lost():
            self._store.add("arrivals", 0)
            self._store.set("latest", "0")
            self._store.set("wanted", "0")

    def arrivals_after(self, turn: int) -> tuple[int, tuple[Arrival, ...]]:
        """The turn of the newest arrival, and those after `turn`."""
        with _lost():
            newest = int(self._store.add("arrivals", 0))
            keys = [f"arrival/{n}" for n in range(turn + 1, newest + 1)]
            texts = self._store.multi_get(keys) if keys else []
        return newest, tuple(Arrival.model_validate_json(text) for text in texts)

    def beats(self, workers: Sequence[int]) -> dict[int, str]:
        """The heartbeats of workers that have arrived."""
        if not workers:
            return {}
        with _lost():
            values = self._store.multi_get([f"beat/{w}" for w in workers])
        return {w: value.decode() for w, value in zip(workers, values, strict=True)}

    def want(self, number: int) -> None:
        with _lost():
            self._store.set("wanted", str(number))

    def publish(self, number: int, members: Sequence[Arrival]) -> None:
        with _lost():
            self._store.set("wanted", str(number))
            self._store.set("latest", str(number))
            text = _ARRIVALS.dump_json(tuple(members), by_alias=True).decode()
            self._store.set(f"round/{number}", text)


@contextlib.contextmanager
def _lost() -> Iterator[None]:
    try:
        yield
    except (RuntimeError, OSError) as error:  # torch's DistError is a RuntimeError
        raise StoreLostError(str(error)) from error

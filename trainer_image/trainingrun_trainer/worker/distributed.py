"""The process group of one round, and the few things ranks tell each other outside of training."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist

from trainingrun_trainer.config import Communication
from trainingrun_trainer.handover import Orders
from trainingrun_trainer.stores import PrefixStore, Store, TCPStore
from trainingrun_trainer.worker import backends
from trainingrun_trainer.worker.backends import Chosen
from trainingrun_trainer.worker.seat import Seat

SUPERVISED = timedelta(days=30)
"""How long a rank waits for another's preparation: the launcher ends it when the other fails."""


@dataclass(frozen=True)
class Group:
    """This rank's place in the round."""

    rank: int
    world_size: int
    local_rank: int
    store: Store
    backend: Chosen

    @property
    def leads(self) -> bool:
        """Whether this is rank 0, which writes, prints and reports for all."""
        return self.rank == 0

    def from_leader(self, name: str, make: Callable[[], str]) -> str:
        """What `make` gives on rank 0, on all ranks. Unlike a collective it may take hours."""
        key = f"from-leader/{name}"
        if self.leads:
            self.store.set(key, make())
        else:
            self.store.wait([key], SUPERVISED)
        text: bytes = self.store.get(key)
        return text.decode()

    def to_leader(self, name: str, text: str) -> dict[int, str]:
        """On rank 0 the texts of the other ranks, by rank; on those nothing, and no waiting."""
        if not self.leads:
            self.store.set(f"to-leader/{name}/{self.rank}", text)
            return {}
        keys = {rank: f"to-leader/{name}/{rank}" for rank in range(1, self.world_size)}
        if keys:
            self.store.wait([*keys.values()], SUPERVISED)
        texts = {rank: self.store.get(key).decode() for rank, key in keys.items()}
        for key in keys.values():
            self.store.delete_key(key)
        return texts

    def everyone(self, holds: bool) -> bool:
        """Whether it holds on all ranks."""
        (missing,) = self.anyone(not holds)
        return not missing

    def anyone(self, *hold: bool) -> list[bool]:
        """Whether each holds on any rank."""
        tensor = torch.tensor(hold, dtype=torch.float64)
        dist.all_reduce(tensor, op=dist.ReduceOp.MAX)
        return [bool(value) for value in tensor]

    def sums(self, *values: float) -> list[float]:
        """The sums over all ranks, in double precision."""
        tensor = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(tensor)
        return [float(value) for value in tensor]


@contextmanager
def process_group(orders: Orders, communication: Communication) -> Iterator[Group]:
    """The round's process group; made before TrainingArguments, which then leave it alone.

    It is destroyed whatever happens: a rank that exits with a live group may abort, and the
    restart that follows would train past the end.

    Raises:
        UserError: the backend cannot be had and must be.
    """
    seat = Seat.of(os.environ)
    server = TCPStore(
        orders.store_host, orders.store_port, is_master=False, timeout=timedelta(seconds=60)
    )
    store = PrefixStore(f"{orders.store_prefix}/ranks", server)
    obstacle = backends.ready(communication.backend, seat)
    chosen = backends.choose(communication, _from_all(store, seat, obstacle))
    dist.init_process_group(
        chosen.backend.value,
        store=PrefixStore("group", store),
        rank=seat.rank,
        world_size=seat.world_size,
        timeout=timedelta(seconds=communication.timeout_seconds),
    )
    try:
        yield Group(seat.rank, seat.world_size, seat.local_rank, store, chosen)
    finally:
        dist.destroy_process_group()


def _from_all(store: Store, seat: Seat, words: str) -> list[str]:
    """What every rank has to say, by rank; before there is a process group to gather it."""
    keys = [f"said/{rank}" for rank in range(seat.world_size)]
    store.set(keys[seat.rank], words)
    store.wait(keys, SUPERVISED)
    return [text.decode() for text in store.multi_get(keys)]

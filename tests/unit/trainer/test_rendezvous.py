"""Workers' rendezvous handlers over a real store, without ranks."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from trainingrun_trainer.launcher.arrivals import Verdict
from trainingrun_trainer.launcher.rendezvous import JudgedError, Meeting, Rendezvous
from trainingrun_trainer.launcher.rounds import Terms
from trainingrun_trainer.report import Summary

TERMS = Terms(meant=2, sizes=frozenset({1, 2}))


@pytest.fixture
def handlers() -> Iterator[tuple[Rendezvous, Rendezvous]]:
    """Worker 0, which hosts the store, and worker 1, in a round together."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    host, other = (
        Rendezvous(Meeting(worker, "localhost", port, "test", TERMS), print, lambda: False)
        for worker in (0, 1)
    )
    with ThreadPoolExecutor(2) as threads:
        for round_formed in [threads.submit(h.next_rendezvous) for h in (host, other)]:
            round_formed.result(30)
    yield host, other
    other.leave(farewell=False)
    host.leave(farewell=False)


def test_workers_that_are_meant_to_come_form_a_round(
    handlers: tuple[Rendezvous, Rendezvous],
) -> None:
    host, other = handlers
    assert [arrival.worker for arrival in host.members] == [0, 1]
    assert host.members == other.members


def test_the_stores_host_leaves_last(handlers: tuple[Rendezvous, Rendezvous]) -> None:
    host, other = handlers
    leaving = threading.Thread(target=host.leave, kwargs={"farewell": True})
    leaving.start()
    leaving.join(0.3)
    waited = leaving.is_alive()
    other.leave(farewell=True)
    leaving.join(30)
    assert (waited, leaving.is_alive()) == (True, False)


def test_nobody_moves_on_before_the_ranks_of_all_have_returned(
    handlers: tuple[Rendezvous, Rendezvous],
) -> None:
    host, other = handlers
    first = threading.Thread(target=other.await_all_returned)
    first.start()
    first.join(0.3)
    waited = first.is_alive()
    host.await_all_returned()
    first.join(30)
    assert (waited, first.is_alive()) == (True, False)


def test_a_worker_that_comes_after_the_end_learns_of_it(
    handlers: tuple[Rendezvous, Rendezvous],
) -> None:
    host, other = handlers
    host.pronounce(Verdict(exit_code=0, summary=Summary(steps=7)))
    with pytest.raises(JudgedError) as judged:
        other.next_rendezvous()
    assert judged.value.verdict.summary == Summary(steps=7)


def test_a_worker_that_leaves_makes_the_others_come_again(
    handlers: tuple[Rendezvous, Rendezvous],
) -> None:
    host, other = handlers
    other.leave(farewell=False)
    came = threading.Event()
    while not host.num_nodes_waiting():
        came.wait(0.05)
    assert not host.lost

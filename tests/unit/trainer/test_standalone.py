"""A rendezvous that no worker holds."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from trainingrun_trainer.config import RunConfig
from trainingrun_trainer.launcher import standalone
from trainingrun_trainer.launcher.arrivals import Verdict
from trainingrun_trainer.launcher.rendezvous import Meeting, Rendezvous
from trainingrun_trainer.launcher.terms import terms_of
from trainingrun_trainer.report import ExitCode

CONFIG = RunConfig.model_validate(
    {
        "run": {"name": "test"},
        "folder": "/run",
        "task": {"type": "causal-lm"},
        "model": {"name": "/model"},
        "data": {"train": "/data"},
        "training": {"maxSteps": 1, "globalBatchSize": 8},
        "processes": {"workers": 2, "maxWorkers": 2, "rendezvous": "dedicated"},
    }
)


@dataclass
class Hosted:
    """A rendezvous on a port of this machine, and two workers that meet there."""

    port: int
    threads: ThreadPoolExecutor
    leaving: threading.Event = field(default_factory=threading.Event)

    def host(self) -> Future[ExitCode]:
        heard = threading.Event()
        running = self.threads.submit(
            standalone.host, CONFIG, self.port, self.leaving.is_set, lambda _: heard.set()
        )
        assert heard.wait(30)
        return running

    def worker(self, index: int) -> Rendezvous:
        meeting = Meeting(index, "localhost", self.port, "test", terms_of(CONFIG), dedicated=True)
        return Rendezvous(meeting, print, lambda: False)

    def meet(self, *workers: Rendezvous) -> None:
        for formed in [self.threads.submit(w.next_rendezvous) for w in workers]:
            formed.result(30)


@pytest.fixture
def hosted() -> Iterator[Hosted]:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    with ThreadPoolExecutor(4) as threads:
        made = Hosted(port, threads)
        yield made
        made.leaving.set()


def test_worker_0_that_is_lost_costs_the_others_no_rendezvous(hosted: Hosted) -> None:
    hosted.host()
    first, other = hosted.worker(0), hosted.worker(1)
    hosted.meet(first, other)
    first.leave(farewell=False)
    again = hosted.worker(0)
    hosted.meet(again, other)
    assert [arrival.worker for arrival in other.members] == [0, 1]
    assert (other.round, other.lost) == (2, False)
    for worker in (again, other):
        worker.leave(farewell=False)


def test_it_ends_when_the_run_is_over_and_everyone_has_gone(hosted: Hosted) -> None:
    running = hosted.host()
    first, other = hosted.worker(0), hosted.worker(1)
    hosted.meet(first, other)
    first.pronounce(Verdict(exit_code=70))
    for worker in (first, other):
        worker.leave(farewell=True)
    assert running.result(30) is ExitCode.SUCCEEDED


def test_asked_to_leave_it_stays_for_those_who_still_save(hosted: Hosted) -> None:
    running = hosted.host()
    first, other = hosted.worker(0), hosted.worker(1)
    hosted.meet(first, other)
    hosted.leaving.set()
    first.leave(farewell=False)
    with pytest.raises(TimeoutError):
        running.result(standalone.LOOK_EVERY_SECONDS * 2)
    other.leave(farewell=False)
    assert running.result(30) is ExitCode.PREEMPTED


def test_workers_meet_again_at_the_successor_of_one_that_was_lost(hosted: Hosted) -> None:
    running = hosted.host()
    first, other = hosted.worker(0), hosted.worker(1)
    hosted.leaving.set()
    running.result(30)
    hosted.leaving.clear()
    met = [hosted.threads.submit(worker.next_rendezvous) for worker in (first, other)]
    hosted.host()
    assert [found.result(30).world_size for found in met] == [2, 2]
    for worker in (first, other):
        worker.leave(farewell=False)

"""The rendezvous handler that torch's elastic agent asks for the next round.

Worker 0 hosts the store and the coordinator, unless they have a pod of their own (`standalone`).
The others connect to it, and when it is lost they
look for its successor at the same address. A thread in each worker beats and reads what is wanted,
so that the agent's loop never waits for the network.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from torch.distributed.elastic.rendezvous.api import (
    RendezvousConnectionError,
    RendezvousError,
    RendezvousHandler,
    RendezvousInfo,
    RendezvousParameters,
    RendezvousStoreInfo,
    rendezvous_handler_registry,
)

from trainingrun_trainer.launcher.arrivals import (
    Arrival,
    EndKind,
    History,
    RoundEnd,
    Verdict,
)
from trainingrun_trainer.launcher.board import Board, StoreLostError
from trainingrun_trainer.launcher.coordinator import Coordinator
from trainingrun_trainer.launcher.rounds import GONE, Terms

BACKEND: Final = "trainingrun"
BEAT_EVERY_SECONDS: Final = 0.2
"""Also how soon a worker learns that a new round is wanted."""
RETURN_WITHIN_SECONDS: Final = 10.0
"""How far apart the ranks of different workers may return: their processes have to end, and rank 0
has 6 s for its last report. Within the grace period of a worker that is asked to leave."""
FAREWELL_SECONDS: Final = 30.0
"""How long the store's host stays after the end, so that the others can read how it ended: each
goes within a second, unless its machine is very busy; one that died is not waited for."""


class JudgedError(RendezvousError):
    """There is no next round: the run is over."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(f"the run is over with exit code {verdict.exit_code}")
        self.verdict = verdict


class AskedToLeaveError(RendezvousError):
    """This worker was asked to leave while it waited."""


@dataclass(frozen=True)
class Meeting:
    """How one worker meets the others. `reconnect_seconds` covers a pod that has to be scheduled,
    with its image pulled: as long as upstream's join time-out."""

    worker: int
    host: str
    port: int
    run_id: str
    terms: Terms
    dedicated: bool = False
    """Whether the store has a pod of its own."""
    reconnect_seconds: float = 600.0

    @property
    def hosts_store(self) -> bool:
        return self.worker == 0 and not self.dedicated


class Rendezvous(RendezvousHandler):
    """Rounds for one worker. `reason` and `history` go out with the next arrival."""

    def __init__(
        self, meeting: Meeting, say: Callable[[str], None], leaving: Callable[[], bool]
    ) -> None:
        self._meeting = meeting
        self._say = say
        self._leaving = leaving
        self._incarnation = uuid.uuid4().hex
        self._serial = 0
        self._board: Board | None = None
        self._pulse: _Pulse | None = None
        self._coordinator: Coordinator | None = None
        self.round = 0
        self.members: tuple[Arrival, ...] = ()
        self.reason = RoundEnd(kind=EndKind.FRESH, at=time.time())
        self.history = History()

    # --- torch's interface ----------------------------------------------------------------------

    def get_backend(self) -> str:
        return BACKEND

    @property
    def use_agent_store(self) -> bool:
        return True

    def get_run_id(self) -> str:
        return self._meeting.run_id

    def next_rendezvous(self) -> RendezvousInfo:
        """Comes to the next round and waits until it is closed.

        Raises:
            JudgedError: the run is over.
            AskedToLeaveError: this worker shall go.
            RendezvousConnectionError: the store was not found for too long.
        """
        deadline: float | None = None
        while True:
            try:
                board = self._connect()
                deadline = None
                return self._attend(board)
            except StoreLostError as error:
                self._disconnect()
                now = time.monotonic()
                if deadline is None:
                    deadline = now + self._meeting.reconnect_seconds
                    self._say(f"looking for {self._meeting.host}:{self._meeting.port}")
                if now > deadline:
                    raise RendezvousConnectionError(str(error)) from error
                self._stay_or_leave()
                time.sleep(0.2)

    def num_nodes_waiting(self) -> int:
        """Positive when the present round is over for this worker's ranks."""
        return int(self.lost or (self._pulse is not None and self._pulse.wanted > self.round))

    def is_closed(self) -> bool:
        return self._pulse is not None and self._pulse.verdict is not None

    def set_closed(self) -> None:
        self.pronounce(Verdict(exit_code=0))

    def shutdown(self) -> bool:
        self.leave(farewell=False)
        return True

    # --- what the agent needs beyond it ---------------------------------------------------------

    @property
    def lost(self) -> bool:
        """The store cannot be reached any more."""
        return self._pulse is not None and self._pulse.lost

    @property
    def verdict(self) -> Verdict | None:
        return self._pulse.verdict if self._pulse is not None else None

    @property
    def store_address(self) -> tuple[str, int]:
        """Where this worker's ranks find the store."""
        if self._board is None:
            raise StoreLostError("there is no store before the first round")
        host = "localhost" if self._meeting.hosts_store else self._meeting.host
        return host, self._board.port

    @property
    def store_prefix(self) -> str:
        return f"round/{self.round}"

    def await_all_returned(self, within: float = RETURN_WITHIN_SECONDS) -> bool:
        """Returns True when the ranks of every member have returned from the round by themselves,
        or after so many seconds; False when a new round is wanted before that.

        Whoever moved earlier would have the coordinator call for a new round, and with it the
        ranks of the others stopped on their way out.
        """
        end = time.monotonic() + within
        with contextlib.suppress(StoreLostError):
            if self._board is None:
                return True
            self._board.say_returned(self.round)
            while self._board.returned(self.round) < len(self.members) and time.monotonic() < end:
                if within == math.inf and self.num_nodes_waiting() and self.verdict is None:
                    return False
                time.sleep(0.02)
        return True

    def pronounce(self, verdict: Verdict) -> None:
        """Tells every worker that the run is over."""
        try:
            if self._board is not None:
                self._board.pronounce(verdict)
        except StoreLostError:
            self._say("the other workers could not be told that the run is over")

    def leave(self, *, farewell: bool) -> None:
        """Goes; with `farewell`, the store's host lets the others read the verdict first."""
        if self._pulse is not None:
            self._pulse.stop(GONE)
            self._pulse = None
        if self._coordinator is not None:
            end = time.monotonic() + (FAREWELL_SECONDS if farewell else 0)
            while self._coordinator.others_present(self._meeting.worker) and time.monotonic() < end:
                time.sleep(0.05)
            self._coordinator.stop()
            self._coordinator = None
        self._board = None

    # --- how ------------------------------------------------------------------------------------

    def _connect(self) -> Board:
        if self._board is not None and not self.lost:
            return self._board
        self._disconnect()
        meeting = self._meeting
        if meeting.hosts_store:
            board = Board.host(meeting.port)
            coordinator = Coordinator(Board.join("localhost", board.port), meeting.terms, self._say)
            coordinator.start()
            self._coordinator = coordinator
            # With port 0 the store took a free one; its successor must be found there again.
            self._meeting = replace(meeting, port=board.port)
        else:
            board = Board.join(meeting.host, meeting.port)
        host = "localhost" if meeting.hosts_store else meeting.host
        self._pulse = _Pulse(Board.join(host, board.port), meeting.worker, self._incarnation)
        self._board = board
        self.round = 0
        return board

    def _disconnect(self) -> None:
        if self._pulse is not None:
            self._pulse.stop(None)
            self._pulse = None
        if self._coordinator is not None:
            self._coordinator.stop()
            self._coordinator = None
        self._board = None

    def _attend(self, board: Board) -> RendezvousInfo:
        self._serial += 1
        arrival = Arrival(
            worker=self._meeting.worker,
            incarnation=self._incarnation,
            serial=self._serial,
            end=self.reason,
            history=self.history,
        )
        pulse = self._pulse
        if pulse is None:
            raise StoreLostError("not connected")
        number = board.latest_round() + 1
        board.arrive(arrival, pulse.value)
        pulse.start()
        while True:
            if (verdict := board.verdict()) is not None:
                raise JudgedError(verdict)
            self._stay_or_leave()
            members = board.round_members(number, within=timedelta(seconds=0.5))
            if members is None:
                continue
            if arrival in members:
                break
            number += 1
        self.round, self.members = number, members
        host, port = self.store_address
        return RendezvousInfo(
            board.prefixed(f"agents/{number}"),
            members.index(arrival),
            len(members),
            RendezvousStoreInfo(host, port),
        )

    def _stay_or_leave(self) -> None:
        if self._leaving():
            raise AskedToLeaveError


class _Pulse:
    """Beats, and remembers what was wanted at the last beat."""

    def __init__(self, board: Board, worker: int, incarnation: str) -> None:
        self._board = board
        self._worker = worker
        self._incarnation = incarnation
        self._count = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.wanted = 0
        self.verdict: Verdict | None = None
        self.lost = False

    @property
    def value(self) -> str:
        """Different at every beat, and for every incarnation."""
        return f"{self._incarnation}:{self._count}"

    def start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)
            self._thread.start()

    def stop(self, last_word: str | None) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        if last_word is not None and not self.lost:
            try:
                self._board.beat(self._worker, last_word)
                self._board.wanted()  # a set is not answered; this one is, after it
            except StoreLostError:
                self.lost = True

    def _run(self) -> None:
        try:
            while not self._stop.wait(BEAT_EVERY_SECONDS):
                self._count += 1
                self._board.beat(self._worker, self.value)
                # Reading asks for an answer: a host that vanished without a word is noticed.
                wanted = self._board.wanted()
                self.verdict = self._board.verdict()
                # Last, so that nobody comes again who could have known that the run is over.
                self.wanted = wanted
        except StoreLostError:
            self.lost = True


def create(params: RendezvousParameters) -> Rendezvous:
    """Makes the handler from torch's parameters; ours are passed whole, under their own names."""
    return Rendezvous(params.get("meeting"), params.get("say"), params.get("leaving"))


def register() -> None:
    """Makes the handler known to torch under its backend name."""
    rendezvous_handler_registry.register(BACKEND, create)

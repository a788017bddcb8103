"""Closes rounds: a thread beside the store that feeds facts to `rounds.decide` and obeys it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from trainingrun_trainer.launcher import rounds
from trainingrun_trainer.launcher.board import Board, StoreLostError

LOOK_EVERY_SECONDS: Final = 0.02
"""A round is closed within one look of its last arrival; a look costs less than a millisecond."""


class Coordinator:
    """The one that decides, for as long as the store lives."""

    def __init__(
        self,
        board: Board,
        terms: rounds.Terms,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._board = board
        self._terms = terms
        self._say = say
        self._clock = clock
        self._hall = rounds.Hall()
        self._turn = 0
        self._said = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="coordinator", daemon=True)
        board.open()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def others_present(self, worker: int) -> bool:
        """Whether any other worker is still connected."""
        return any(w != worker for w in self._hall.present)

    def look(self) -> None:
        """One look at the board, and what follows from it."""
        now = self._clock()
        self._turn, arrivals = self._board.arrivals_after(self._turn)
        for arrival in arrivals:
            beat = self._board.beats([arrival.worker])[arrival.worker]
            self._hall = rounds.arrived(self._hall, arrival, beat, now)
        for worker, beat in self._board.beats(sorted(self._hall.present)).items():
            self._hall = rounds.beaten(self._hall, worker, beat, now)
        self._hall = rounds.without_dead(self._hall, self._terms, now)
        self._act(rounds.decide(self._hall, self._terms, now))

    def _act(self, decision: rounds.Decision) -> None:
        match decision:
            case rounds.Close(members):
                arrivals = [self._hall.present[w].arrival for w in members]
                self._hall = rounds.closed(self._hall, members)
                self._board.publish(self._hall.number, arrivals)
            case rounds.Reform():
                self._board.want(self._hall.number + 1)
            case rounds.Wait(why):
                if self._hall.waiting and why != self._said:
                    self._say(f"waiting: {why}")
                self._said = why

    def _run(self) -> None:
        while not self._stop.wait(LOOK_EVERY_SECONDS):
            try:
                self.look()
            except StoreLostError:
                return

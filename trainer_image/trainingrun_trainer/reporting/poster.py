"""Posts the newest report from a thread of its own: a dead operator never slows training."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from trainingrun_trainer.report import Report

POST_EVERY_SECONDS: Final = 2.0
POST_APART_SECONDS: Final = 1.0
"""Also for what is urgent: twice what the operator insists on."""
CLOSE_WITHIN_SECONDS: Final = 6.0
"""The last report's chance to arrive: one post with its time-out, or some that are refused."""


class Poster:
    """Holds one report, the newest; older ones that were not sent yet are dropped.

    `send` raises OSError when a report did not arrive; that is said once, until one arrives again.
    The report is then sent again, unless there is a newer one.
    """

    def __init__(
        self,
        send: Callable[[Report], None],
        say: Callable[[str], None],
        every: float = POST_EVERY_SECONDS,
        apart: float = POST_APART_SECONDS,
        close_within: float = CLOSE_WITHIN_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send = send
        self._say = say
        self._every = every
        self._apart = apart
        self._close_within = close_within
        self._clock = clock
        self._newest: Report | None = None
        self._urgent = False
        self._failing = False
        self._sent_at: float | None = None
        self._last_chance: float | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="reports", daemon=True)
        self._thread.start()

    def submit(self, report: Report, *, urgent: bool = False) -> None:
        """Takes a report; an urgent one goes out as soon as may be, others at the usual rate."""
        with self._changed:
            self._newest = report
            self._urgent |= urgent
            self._changed.notify()

    def close(self) -> None:
        """Sends what is left and ends, within a bounded time."""
        with self._changed:
            self._last_chance = self._clock() + self._close_within
            self._changed.notify()
        self._thread.join(self._close_within)

    def _run(self) -> None:
        while (report := self._next()) is not None:
            try:
                self._send(report)
            except Exception as error:  # whatever it is, training goes on
                self._put_back(report)
                if not self._failing:
                    self._say(f"progress could not be reported, training goes on: {error}")
                self._failing = True
            else:
                self._failing = False

    def _put_back(self, report: Report) -> None:
        with self._changed:
            if self._newest is None:
                self._newest = report

    def _next(self) -> Report | None:
        """The next report to send, when it is due; None at the end."""
        with self._changed:
            while True:
                closing = self._last_chance is not None
                if self._newest is None:
                    if closing:
                        return None
                    self._changed.wait()
                elif (patience := self._patience()) <= 0:
                    report, self._newest, self._urgent = self._newest, None, False
                    self._sent_at = self._clock()
                    return report
                elif self._last_chance is not None and self._clock() > self._last_chance:
                    return None
                else:
                    self._changed.wait(patience)

    def _patience(self) -> float:
        """Seconds until the next report may go. Closing hurries; who fails is not pressed."""
        if self._sent_at is None:
            return 0.0
        hurry = self._last_chance is not None or (self._urgent and not self._failing)
        return self._sent_at + (self._apart if hurry else self._every) - self._clock()

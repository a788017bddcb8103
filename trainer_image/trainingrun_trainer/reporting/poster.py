"""Posts the newest report from a thread of its own: a dead operator never slows training."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from trainingrun_trainer.report import Report

POST_EVERY_SECONDS: Final = 2.0
CLOSE_WITHIN_SECONDS: Final = 6.0
"""The last report's chance to arrive: one post with its time-out."""


class Poster:
    """Holds one report, the newest; older ones that were not sent yet are dropped.

    `send` raises OSError when a report did not arrive; that is said once, until one arrives again.
    """

    def __init__(
        self,
        send: Callable[[Report], None],
        say: Callable[[str], None],
        every: float = POST_EVERY_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send = send
        self._say = say
        self._every = every
        self._clock = clock
        self._newest: Report | None = None
        self._urgent = False
        self._closed = False
        self._failing = False
        self._sent_at: float | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="reports", daemon=True)
        self._thread.start()

    def submit(self, report: Report, *, urgent: bool = False) -> None:
        """Takes a report; an urgent one goes out at once, others at the usual rate."""
        with self._changed:
            self._newest = report
            self._urgent |= urgent
            self._changed.notify()

    def close(self) -> None:
        """Sends what is left and ends, within a bounded time."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(CLOSE_WITHIN_SECONDS)

    def _run(self) -> None:
        while (report := self._next()) is not None:
            try:
                self._send(report)
            except Exception as error:  # whatever it is, training goes on
                if not self._failing:
                    self._say(f"progress could not be reported: {error}")
                self._failing = True
            else:
                self._failing = False

    def _next(self) -> Report | None:
        """The next report to send, when it is due; None at the end."""
        with self._changed:
            while True:
                if self._newest is not None and (
                    self._urgent or self._closed or self._patience() <= 0
                ):
                    report, self._newest, self._urgent = self._newest, None, False
                    self._sent_at = self._clock()
                    return report
                if self._closed:
                    return None
                self._changed.wait(self._patience() if self._newest is not None else None)

    def _patience(self) -> float:
        """Seconds until the next report may go."""
        if self._sent_at is None:
            return 0.0
        return self._sent_at + self._every - self._clock()

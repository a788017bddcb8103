"""Writes checkpoints beside training, one at a time, or while training waits."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Final

from trainingrun_trainer.checkpoints.manifest import Manifest

_NICENESS: Final = 10
"""Training goes first where there are no spare cores; Linux keeps a priority for each thread."""

Write = Callable[[], Manifest]
Outcome = Manifest | Exception


class Writer:
    """At most one write is under way: the next one waits for it.

    Waiting rather than leaving one out keeps what the user was promised, a checkpoint at each due
    step; storage that is too slow then costs what it would cost without a writer.
    """

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._outcomes: list[Outcome] = []

    def write(self, write: Write) -> None:
        """Writes now; returns when it is done."""
        self.finish()
        self._run(write)

    def begin(self, write: Write) -> None:
        """Returns when the former write is done and this one has begun."""
        self.finish()
        # A rank that fails or is told to stop must not wait for it: without its manifest the
        # folder is no checkpoint.
        self._thread = threading.Thread(target=self._aside, args=(write,), daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Returns when nothing is being written any more."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def outcomes(self) -> list[Outcome]:
        """How the writes ended that are done since the last call, oldest first."""
        done, self._outcomes = self._outcomes, []
        return done

    def _aside(self, write: Write) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
        self._run(write)

    def _run(self, write: Write) -> None:
        try:
            outcome: Outcome = write()
        except Exception as error:  # whoever asks for the outcome decides what it means
            outcome = error
        self._outcomes.append(outcome)

"""Whether this worker was asked to leave: a pod is by SIGTERM, a terminal asks by SIGINT."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from types import FrameType
from typing import Self


@dataclass
class Leaving:
    """A plain attribute, since a signal handler sets it."""

    asked: bool = False

    @classmethod
    def listen(cls) -> Self:
        """Listens from now on. To be called before anything that takes long: as the first process
        of a container, a launcher that does not listen yet would not even be ended."""
        leaving = cls()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, leaving._on_signal)
        # The program that gave way to this one has blocked them meanwhile.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})
        return leaving

    def __call__(self) -> bool:
        return self.asked

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True

"""The rendezvous in a process of its own: the store and the coordinator, and no ranks."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final

from trainingrun_trainer.config import AnyConfig
from trainingrun_trainer.launcher.board import Board
from trainingrun_trainer.launcher.coordinator import Coordinator
from trainingrun_trainer.launcher.rendezvous import FAREWELL_SECONDS
from trainingrun_trainer.launcher.terms import terms_of
from trainingrun_trainer.report import ExitCode

NOBODY: Final = -1
"""The index of no worker: all of them are others."""
LOOK_EVERY_SECONDS: Final = 0.5


def host(
    config: AnyConfig, port: int, leaving: Callable[[], bool], say: Callable[[str], None]
) -> ExitCode:
    """Hosts the run's rendezvous until the run is over and every worker has read how it ended.

    What the run came to is the workers' to tell: here it is success either way. Asked to leave, it
    stays for as long as workers are there, which may save a last checkpoint.

    Raises:
        StoreLostError: the port is taken.
    """
    board = Board.host(port)
    coordinator = Coordinator(Board.join("localhost", board.port), terms_of(config), say)
    coordinator.start()
    say(f"the rendezvous of {config.run.name} listens on port {board.port}")
    over = False
    deadline = math.inf
    try:
        while coordinator.others_present(NOBODY) or not (over or leaving()):
            if not over and board.verdict() is not None:
                over, deadline = True, time.monotonic() + FAREWELL_SECONDS
            if time.monotonic() > deadline:
                break
            time.sleep(LOOK_EVERY_SECONDS)
    finally:
        coordinator.stop()
    return ExitCode.SUCCEEDED if over else ExitCode.PREEMPTED

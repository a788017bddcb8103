"""A fork server that has torch and transformers imported before the first rank is needed.

Measured on 2 cores, a killed rank to the first collective: 1.5 s and less, against 4 to 6 s when
each rank is a new interpreter that imports everything again.
"""

from __future__ import annotations

import multiprocessing
from multiprocessing import forkserver
from typing import Final

from trainingrun_trainer.config import Ipex

START_METHOD: Final = "forkserver"


def start(ipex: Ipex = Ipex.OFF) -> None:
    """Starts it; it imports in the background. The environment it gets now is what ranks see."""
    more = [] if ipex is Ipex.OFF else ["trainingrun_trainer.launcher.preload_ipex"]
    multiprocessing.set_forkserver_preload(["trainingrun_trainer.launcher.preload", *more])
    forkserver.ensure_running()


def wait_until_warm() -> None:
    """Returns when a child has come and gone: the server serves only after its imports."""
    child = multiprocessing.get_context(START_METHOD).Process(target=_nothing)
    child.start()
    child.join()


def _nothing() -> None:
    """What the first child does."""

"""Stack dumps of ranks: written by the rank itself when the launcher's signal arrives.

The interpreter's own fault handler writes from inside the signal handler, hence also while the rank
sits in a collective where no Python runs, and without the global lock.
"""

from __future__ import annotations

import faulthandler
import re
import signal
from pathlib import Path
from typing import IO, Final

DUMP: Final = signal.SIGUSR2
"""Asks a rank for a dump of all its threads."""

_FRAME: Final = re.compile(r'^  File "(?P<file>[^"]+)", line (?P<line>\d+) in (?P<name>.+)$')
_THREAD: Final = re.compile(r"^(?:Current thread|Thread) 0x")

_open: list[IO[bytes]] = []
"""The handler writes to a file descriptor that must stay open."""


def dump_on_signal(path: Path) -> None:
    """From now on `DUMP` makes this process write the stacks of all its threads to `path`."""
    file = path.open("ab", buffering=0)
    _open.append(file)
    faulthandler.register(DUMP, file, all_threads=True)


def innermost(dump: str) -> tuple[str, str] | None:
    """File and "file:line in function" of the main thread's innermost frame; None if not told.

    The fault handler lists the newest thread first, hence the main thread last.
    """
    frame, fresh = None, False
    for line in dump.splitlines():
        if _THREAD.match(line):
            fresh = True
        elif fresh and (found := _FRAME.match(line)):
            frame, fresh = found, False
    if frame is None:
        return None
    return frame["file"], f"{frame['file']}:{frame['line']} in {frame['name']}"

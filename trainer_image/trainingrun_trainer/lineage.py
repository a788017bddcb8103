"""A process that must not outlive its parent says so to the kernel."""

from __future__ import annotations

import ctypes
import signal
import sys
from pathlib import Path
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def die_with_parent() -> None:
    """SIGKILL for this process when its parent dies.

    SIGKILL because a rank inside a collective runs no Python, hence no signal handler.
    """
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")


def be_called(name: str) -> None:
    """Gives this process a name of its own in ps, top and the kernel's messages.

    Children of the fork server all have its command line. The kernel keeps 15 bytes.
    """
    Path("/proc/self/comm").write_text(name[:15])

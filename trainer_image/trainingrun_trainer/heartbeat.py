"""What a rank shows of itself in a file that outlives it: the step, a beat, and what it is at.

The rank only stores three numbers in shared memory; the launcher reads them when it likes.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

_FORMAT = struct.Struct("<qqq")


class Activity(IntEnum):
    """What a rank is at, as far as it matters for how soon its next beat is due."""

    PREPARING = 0
    """Up to the end of the first step: loading, tokenizing and compiling may take hours."""
    STEPPING = 1
    """The next beat is due within the hang time-out."""
    PAUSED = 2
    """Evaluating or saving, which may take long too."""


@dataclass(frozen=True)
class Beat:
    """The last thing a rank showed. `count` is another one at every beat."""

    step: int = 0
    count: int = 0
    activity: Activity = Activity.PREPARING

    @classmethod
    def read(cls, path: Path) -> Beat:
        """The beat in a rank's file; one of a rank that never came so far where there is none."""
        try:
            step, count, activity = _FORMAT.unpack(path.read_bytes())
            return cls(step, count, Activity(activity))
        except (FileNotFoundError, struct.error, ValueError):
            return cls()


class Heart:
    """The rank's own side of its file."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(_FORMAT.pack(0, 0, Activity.PREPARING))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _FORMAT.size)
        self._count = 0

    def beat(self, step: int, activity: Activity) -> None:
        """Shows that the rank goes on."""
        self._count += 1
        self._map[:] = _FORMAT.pack(step, self._count, activity)

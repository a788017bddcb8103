"""Whether the kernel has killed for memory in this container, as its control group counts it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_COUNTERS: Final = (
    Path("/sys/fs/cgroup/memory.events"),  # version 2
    Path("/sys/fs/cgroup/memory/memory.oom_control"),  # version 1
)


def kills(counters: tuple[Path, ...] = _COUNTERS) -> int:
    """Processes killed for memory since the container began; 0 where nobody counts them."""
    for path in counters:
        try:
            lines = path.read_text().splitlines()
        except OSError:
            continue
        words = (line.split() for line in lines)
        return next((int(w[1]) for w in words if len(w) == 2 and w[0] == "oom_kill"), 0)
    return 0

"""How much memory this process may still take, by the machine and by its cgroup."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_CGROUPS: Final = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
)
"""Limit, use and the part of it that the kernel gives back when asked: version 2, then 1."""


def spare_bytes(
    meminfo: Path = Path("/proc/meminfo"), cgroup: Path = Path("/sys/fs/cgroup")
) -> int:
    """The least of what the machine and the container have left."""
    left = [_numbers(meminfo).get("MemAvailable:", 0) * 1024]
    for limit_name, used_name, reclaimable in _CGROUPS:
        used_path = cgroup / used_name
        limit = _number(cgroup / limit_name)
        used = _number(used_path)
        if limit is not None and used is not None:
            cache = _numbers(used_path.with_name("memory.stat")).get(reclaimable, 0)
            left.append(limit - used + cache)
    return max(min(left), 0)


def _number(path: Path) -> int | None:
    """The number in a file; None where there is no file or no limit, `max`."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _numbers(path: Path) -> dict[str, int]:
    """Numbers by the word before them, line by line."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    words = (line.split() for line in lines)
    return {line[0]: int(line[1]) for line in words if len(line) > 1 and line[1].isdigit()}

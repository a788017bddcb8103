"""What the kernel says of this pod: CPUs, processor, memory, libraries. No library is asked."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path("/")
CPUS_VARIABLE: Final = "TRAININGRUN_CPUS"
"""The worker's CPUs, as the launcher found them: OpenMP may have bound a rank to one by now."""
V1_CONTROLLERS: Final = ("cpu", "cpu,cpuacct")
"""Folders in which cgroup v1 has its quota; which of them depends on the distribution."""


@dataclass(frozen=True)
class LogicalCpu:
    """A CPU as the kernel numbers it, and the core it is a part of."""

    number: int
    package: int = 0
    core: int = 0


@dataclass(frozen=True)
class Machine:
    """What there is. `quota` is a number of CPUs, None without a limit; sizes are bytes."""

    quota: float | None = None
    cpus: tuple[LogicalCpu, ...] = ()
    """Those that this process may run on."""
    flags: frozenset[str] = frozenset()
    """The processor's abilities, by the names in /proc/cpuinfo."""
    shared_memory_bytes: int | None = None
    huge_pages: str = ""
    """When the kernel gives huge pages without reservation: always, madvise, never; "" if it does
    not say."""

    @property
    def capacity(self) -> float:
        """CPUs that can be busy at the same time."""
        return min(float(len(self.cpus)), self.quota or float("inf"))

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Machine:
        """The machine that this runs on."""
        told = env.get(CPUS_VARIABLE)
        numbers = map(int, told.split(",")) if told else sorted(os.sched_getaffinity(0))
        return cls(
            quota=cpu_quota(ROOT),
            cpus=tuple(logical_cpu(ROOT, number) for number in numbers),
            flags=cpu_flags(ROOT),
            shared_memory_bytes=shared_memory(ROOT / "dev" / "shm"),
            huge_pages=transparent_huge_pages(ROOT),
        )


def cpu_quota(root: Path) -> float | None:
    """The CPUs that the cgroup of this process and those above it allow; None without a limit.

    cgroup v2: https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files, v1:
    https://docs.kernel.org/scheduler/sched-bwc.html
    """
    quotas = [quota for folder in _cgroups(root) if (quota := _quota(folder)) is not None]
    return min(quotas, default=None)


def cpu_flags(root: Path) -> frozenset[str]:
    """The abilities of the first processor; empty where they cannot be read."""
    lines = _text(root / "proc" / "cpuinfo").splitlines()
    flags = next((line for line in lines if line.startswith("flags")), "")
    return frozenset(flags.partition(":")[2].split())


def logical_cpu(root: Path, number: int) -> LogicalCpu:
    """A CPU with its place; one that says nothing of it counts as a core of its own."""
    topology = root / "sys" / "devices" / "system" / "cpu" / f"cpu{number}" / "topology"
    package, core = _text(topology / "physical_package_id"), _text(topology / "core_id")
    if not (package.isdecimal() and core.isdecimal()):
        return LogicalCpu(number, 0, number)
    return LogicalCpu(number, int(package), int(core))


def transparent_huge_pages(root: Path) -> str:
    """The word in brackets; https://docs.kernel.org/admin-guide/mm/transhuge.html."""
    told = _text(root / "sys" / "kernel" / "mm" / "transparent_hugepage" / "enabled")
    return told.partition("[")[2].partition("]")[0]


def shared_memory(folder: Path) -> int | None:
    """The size of the memory volume; None where there is none."""
    try:
        told = os.statvfs(folder)
    except OSError:
        return None
    return told.f_blocks * told.f_frsize


def mapped_libraries(maps: Path = ROOT / "proc" / "self" / "maps") -> frozenset[str]:
    """Real paths of the files that are mapped into a process."""
    lines = _text(maps).splitlines()
    return frozenset(line.split(maxsplit=5)[5] for line in lines if "/" in line)


def _cgroups(root: Path) -> Iterator[Path]:
    """Folders that may hold a quota: from the process's own cgroup up to the root's."""
    mount = root / "sys" / "fs" / "cgroup"
    for line in _text(root / "proc" / "self" / "cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            yield from _upwards(mount, path)
        elif "cpu" in controllers.split(","):
            for name in V1_CONTROLLERS:
                yield from _upwards(mount / name, path)


def _upwards(mount: Path, path: str) -> Iterator[Path]:
    inner = Path(path.lstrip("/"))
    yield from (mount / part for part in (inner, *inner.parents))


def _quota(folder: Path) -> float | None:
    words = _text(folder / "cpu.max").split()
    if not words:
        words = [
            *_text(folder / "cpu.cfs_quota_us").split(),
            *_text(folder / "cpu.cfs_period_us").split(),
        ]
    # "max", or -1 in v1, is no limit.
    if len(words) != 2 or not all(word.isdecimal() for word in words):
        return None
    return int(words[0]) / int(words[1])


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""

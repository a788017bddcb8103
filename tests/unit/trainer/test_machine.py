"""What the kernel says of a pod, in either version of its cgroups."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainingrun_trainer.stack.machine import (
    CPUS_VARIABLE,
    LogicalCpu,
    Machine,
    cpu_flags,
    cpu_quota,
    logical_cpu,
    mapped_libraries,
    shared_memory,
    transparent_huge_pages,
)

V1 = "4:memory:/\n3:cpu,cpuacct:{path}\n1:name=systemd:/\n"
V2 = "0::{path}\n"


def files(root: Path, **texts: str) -> Path:
    """A file for each path, dots for its slashes' sake written as `__`."""
    for name, text in texts.items():
        path = root / name.replace("__", "/").replace("_DOT_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("maximum", "quota"), [("100000 100000", 1.0), ("50000 100000", 0.5), ("max 100000", None)]
)
def test_version_2_has_the_quota_in_one_file(
    tmp_path: Path, maximum: str, quota: float | None
) -> None:
    files(tmp_path, proc__self__cgroup=V2.format(path="/"), sys__fs__cgroup__cpu_DOT_max=maximum)
    assert cpu_quota(tmp_path) == quota


@pytest.mark.parametrize("folder", ["cpu", "cpu,cpuacct"])
@pytest.mark.parametrize(("microseconds", "quota"), [("250000", 2.5), ("-1", None)])
def test_version_1_has_the_quota_in_two(
    tmp_path: Path, folder: str, microseconds: str, quota: float | None
) -> None:
    files(tmp_path, proc__self__cgroup=V1.format(path="/"))
    group = tmp_path / "sys" / "fs" / "cgroup" / folder
    group.mkdir(parents=True)
    (group / "cpu.cfs_quota_us").write_text(f"{microseconds}\n")
    (group / "cpu.cfs_period_us").write_text("100000\n")
    assert cpu_quota(tmp_path) == quota


def test_a_group_above_may_allow_less(tmp_path: Path) -> None:
    files(tmp_path, proc__self__cgroup=V2.format(path="/pods/one"))
    inner = tmp_path / "sys" / "fs" / "cgroup" / "pods" / "one"
    inner.mkdir(parents=True)
    (inner / "cpu.max").write_text("400000 100000")
    (inner.parent / "cpu.max").write_text("200000 100000")
    assert cpu_quota(tmp_path) == 2.0


def test_a_machine_without_cgroups_has_no_quota(tmp_path: Path) -> None:
    assert cpu_quota(tmp_path) is None


def test_the_processors_abilities_are_those_of_its_flags(tmp_path: Path) -> None:
    files(tmp_path, proc__cpuinfo="processor : 0\nflags\t: fpu avx512f amx_bf16\n\nprocessor : 1\n")
    assert cpu_flags(tmp_path) == {"fpu", "avx512f", "amx_bf16"}


def test_a_processor_that_cannot_be_read_has_none(tmp_path: Path) -> None:
    assert cpu_flags(tmp_path) == frozenset()


def test_a_cpu_knows_the_core_it_is_a_part_of(tmp_path: Path) -> None:
    place = "sys__devices__system__cpu__cpu5__topology__"
    files(tmp_path, **{f"{place}physical_package_id": "1\n", f"{place}core_id": "3\n"})
    assert logical_cpu(tmp_path, 5) == LogicalCpu(5, package=1, core=3)


def test_a_cpu_that_does_not_say_is_a_core_of_its_own(tmp_path: Path) -> None:
    assert logical_cpu(tmp_path, 5) == LogicalCpu(5, package=0, core=5)


@pytest.mark.parametrize(
    ("quota", "cpus", "capacity"), [(0.5, 2, 0.5), (None, 2, 2.0), (4.0, 2, 2.0)]
)
def test_the_lesser_of_quota_and_cpus_counts(
    quota: float | None, cpus: int, capacity: float
) -> None:
    machine = Machine(quota=quota, cpus=tuple(map(LogicalCpu, range(cpus))))
    assert machine.capacity == capacity


def test_the_launchers_cpus_count_and_not_the_one_that_a_rank_is_bound_to() -> None:
    machine = Machine.read({CPUS_VARIABLE: "0,3,5"})
    assert [cpu.number for cpu in machine.cpus] == [0, 3, 5]


def test_this_machine_can_be_read() -> None:
    machine = Machine.read({})
    assert machine.cpus
    assert machine.flags
    assert machine.shared_memory_bytes


def test_a_folder_that_is_not_there_is_no_shared_memory(tmp_path: Path) -> None:
    assert shared_memory(tmp_path / "shm") is None


def test_libraries_are_known_by_what_is_mapped(tmp_path: Path) -> None:
    maps = tmp_path / "maps"
    maps.write_text(
        "7f00-7f01 r-xp 00000000 08:01 1  /opt/lib/libtcmalloc_minimal.so.4\n"
        "7f02-7f03 rw-p 00000000 00:00 0\n"
        "7f04-7f05 rw-p 00000000 00:00 0  [heap]\n"
    )
    assert mapped_libraries(maps) == {"/opt/lib/libtcmalloc_minimal.so.4"}


@pytest.mark.parametrize(
    ("told", "read"), [("always [madvise] never", "madvise"), ("always madvise [never]", "never")]
)
def test_the_kernels_setting_of_huge_pages_is_the_word_in_brackets(
    tmp_path: Path, told: str, read: str
) -> None:
    file = tmp_path / "sys" / "kernel" / "mm" / "transparent_hugepage" / "enabled"
    file.parent.mkdir(parents=True)
    file.write_text(f"{told}\n")
    assert transparent_huge_pages(tmp_path) == read


def test_a_kernel_without_huge_pages_says_nothing_of_them(tmp_path: Path) -> None:
    assert transparent_huge_pages(tmp_path) == ""

"""Which CPUs each rank keeps to."""

from __future__ import annotations

from typing import Any

import pytest

from trainingrun_trainer.config import Cpu
from trainingrun_trainer.stack.affinity import VARIABLE, Binding, binding, cpus_of
from trainingrun_trainer.stack.machine import LogicalCpu

EIGHT = tuple(LogicalCpu(n, 0, n) for n in range(8))
HYPER_THREADED = tuple(LogicalCpu(n, package=n // 2 % 2, core=n % 2) for n in range(8))
"""Two sockets of two cores: CPUs 0 and 4 are one core, 1 and 5, 2 and 6, 3 and 7 too."""


def cpu(limit: float | None = 8, **fields: Any) -> Cpu:
    return Cpu.model_validate({"limit": limit, **fields})


def test_ranks_keep_to_cpus_that_are_the_workers_own() -> None:
    assert binding(cpu(), 2, EIGHT).ranks == ((0, 1, 2, 3), (4, 5, 6, 7))


@pytest.mark.parametrize("limit", [4, 7.5, None])
def test_on_cpus_that_others_may_use_too_nothing_is_bound(limit: float | None) -> None:
    assert binding(cpu(limit), 2, EIGHT) == Binding()


def test_shared_cpus_are_bound_where_that_is_asked_for() -> None:
    assert binding(cpu(4, affinity="ranks"), 2, EIGHT).ranks == ((0, 1, 2, 3), (4, 5, 6, 7))


def test_nothing_is_bound_where_that_is_asked_for() -> None:
    assert binding(cpu(affinity="none"), 2, EIGHT) == Binding()


def test_a_core_is_never_parted_and_its_first_half_comes_first() -> None:
    assert binding(cpu(), 2, HYPER_THREADED).ranks == ((0, 1, 4, 5), (2, 3, 6, 7))


def test_cores_that_do_not_go_round_stay_free() -> None:
    assert binding(cpu(7), 2, EIGHT[:7]).ranks == ((0, 1, 2), (3, 4, 5))


def test_more_ranks_than_cores_are_not_bound() -> None:
    assert binding(cpu(2), 3, EIGHT[:2]) == Binding()


def test_gnus_openmp_is_told_the_cpus_of_a_workers_only_rank() -> None:
    bound = binding(cpu(2, affinity="threads"), 1, EIGHT[:2])
    assert bound.variables["GOMP_CPU_AFFINITY"] == "0,1"


def test_intels_openmp_is_told_to_stay_within_the_ranks_cpus() -> None:
    bound = binding(cpu(affinity="threads", openmp="intel"), 2, EIGHT)
    assert bound.variables["KMP_AFFINITY"] == "granularity=fine,compact,1,0"


def test_a_rank_finds_its_cpus_in_what_the_launcher_told() -> None:
    told = binding(cpu(), 2, EIGHT).variables
    assert told[VARIABLE] == "0,1,2,3;4,5,6,7"
    assert cpus_of(1, told) == (4, 5, 6, 7)
    assert cpus_of(1, {}) == ()

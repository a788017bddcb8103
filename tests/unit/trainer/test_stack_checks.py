"""What was planned held against what is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from trainingrun_trainer.config import Precision, RunConfig
from trainingrun_trainer.errors import UserError
from trainingrun_trainer.report import Finding
from trainingrun_trainer.stack.checks import CHECKS, Rank, findings, threads_that_fit
from trainingrun_trainer.stack.environment import must_have_interface, variables
from trainingrun_trainer.stack.machine import CPUS_VARIABLE, LogicalCpu, Machine
from trainingrun_trainer.stack.table import table

MEBIBYTE = 2**20
MACHINE = Machine(
    quota=2.0,
    cpus=tuple(map(LogicalCpu, range(4))),
    flags=frozenset({"avx2", "avx512f"}),
    shared_memory_bytes=256 * MEBIBYTE,
)
RANK = Rank(
    backend="gloo",
    threads=2,
    started_threads=2,
    interop_threads=1,
    mapped=frozenset({"/lib/libtcmalloc_minimal.so.4", "/torch/lib/libgomp.so.1"}),
    precision=Precision.FLOAT32,
)


def config(cpu: dict[str, Any] | None = None, **groups: Any) -> RunConfig:
    return RunConfig.model_validate(
        {
            "run": {"name": "test"},
            "folder": "/runs/test",
            "task": {"type": "causal-lm"},
            "model": {"name": "/model"},
            "data": {"train": "/data"},
            "training": {"maxSteps": 1},
            "cpu": {"limit": 2, "threads": 2, **(cpu or {})},
            "sharedMemoryBytes": 256 * MEBIBYTE,
            **groups,
        }
    )


def found(name: str, wanted: RunConfig, machine: Machine = MACHINE, rank: Rank = RANK) -> Finding:
    return next(f for f in findings(wanted, machine, rank) if f.name == name)


def test_huge_pages_that_the_node_does_not_give_are_named() -> None:
    wanted, node = config({"hugePages": "Transparent"}), replace(MACHINE, huge_pages="never")
    assert "switched transparent huge pages off" in found("hugePages", wanted, node).problem


def test_huge_pages_that_nobody_asked_for_may_be_off() -> None:
    assert found("hugePages", config(), replace(MACHINE, huge_pages="never")).problem == ""


def test_a_worker_that_is_as_planned_has_no_problem() -> None:
    told = findings(config(), MACHINE, RANK)
    assert len(told) == len(CHECKS)
    assert [f.problem for f in told if f.problem] == []


@pytest.mark.parametrize(
    ("quota", "cpus", "limit", "holds"),
    [
        (2.0, 4, 2, True),
        (None, 4, 4, True),  # CPUs of its own have no quota
        (1.0, 4, 2, False),
        (2.0, 1, 2, False),
        (0.5, 4, 0.5, True),
        (1.9, 4, 1.9, True),
        (None, 4, None, True),
    ],
)
def test_fewer_cpus_than_the_worker_was_given_are_named(
    quota: float | None, cpus: int, limit: float | None, holds: bool
) -> None:
    machine = replace(MACHINE, quota=quota, cpus=tuple(map(LogicalCpu, range(cpus))))
    threads = {"limit": limit, "threads": 1}
    assert (found("cpus", config(threads), machine).problem == "") is holds


def test_threads_are_lowered_to_the_cpus_there_are() -> None:
    machine = replace(MACHINE, quota=1.0)
    assert threads_that_fit(config(), machine) == 1
    assert "each rank uses 1 threads" in found("cpus", config(), machine).problem


def test_threads_that_are_meant_to_be_too_many_are_left_alone() -> None:
    wanted = config({"threads": 4, "allowOversubscription": True})
    assert threads_that_fit(wanted, MACHINE) == 4


@pytest.mark.parametrize(("threads", "started"), [(4, 2), (2, 4)])
def test_threads_that_are_not_as_planned_are_named(threads: int, started: int) -> None:
    finding = found(
        "threads", config(), rank=replace(RANK, threads=threads, started_threads=started)
    )
    assert finding.found == f"torch {threads}, running {started}"
    assert "a rank was to use 2 threads" in finding.problem


def test_an_allocator_that_is_not_loaded_is_named() -> None:
    finding = found("allocator", config({"allocator": "jemalloc"}))
    assert (finding.planned, finding.found) == ("jemalloc", "tcmalloc")
    assert "write spec.cpu.allocator: tcmalloc" in finding.problem


def test_without_a_library_the_allocator_is_the_systems() -> None:
    finding = found("allocator", config(), rank=replace(RANK, mapped=frozenset()))
    assert (finding.planned, finding.found, finding.problem) == ("auto", "system", "")


def test_intels_openmp_is_in_use_where_it_is_loaded_beside_gnus() -> None:
    both = replace(RANK, mapped=frozenset({"/lib/libiomp5.so", "/lib/libgomp.so.1"}))
    assert found("openmp", config({"openmp": "intel"}), rank=both).problem == ""
    assert found("openmp", config({"openmp": "gnu"}), rank=both).found == "intel"


def test_bfloat16_that_the_processor_emulates_is_named() -> None:
    wanted = config(training={"maxSteps": 1, "precision": "bfloat16"})
    slow = replace(RANK, precision=Precision.BFLOAT16)
    finding = found("precision", wanted, rank=slow)
    assert finding.found == "bfloat16 on avx2 avx512f"
    assert finding.problem == (
        "this processor has neither amx_bf16 nor avx512_bf16 and emulates bfloat16; write "
        "spec.training.precision: auto, or choose nodes that have it"
    )


@pytest.mark.parametrize("flag", ["amx_bf16", "avx512_bf16"])
def test_bfloat16_in_hardware_is_well(flag: str) -> None:
    wanted = config(training={"maxSteps": 1, "precision": "bfloat16"})
    machine = replace(MACHINE, flags=frozenset({flag}))
    assert (
        found("precision", wanted, machine, replace(RANK, precision=Precision.BFLOAT16)).problem
        == ""
    )


def test_shared_memory_that_cannot_be_had_is_named() -> None:
    finding = found("sharedMemory", config(), replace(MACHINE, shared_memory_bytes=64 * MEBIBYTE))
    assert (finding.planned, finding.found) == ("256 MiB", "64 MiB")
    assert finding.problem.startswith("the node gives less shared memory than")


def test_another_backend_than_planned_is_named() -> None:
    finding = found("backend", config(), rank=replace(RANK, backend="mpi"))
    assert (finding.planned, finding.found) == ("gloo", "mpi")
    assert finding.problem == "the process group was made with another backend"


def test_the_table_has_a_line_for_each_finding_and_one_for_each_problem() -> None:
    lines = list(table(findings(config({"allocator": "jemalloc"}), MACHINE, RANK)))
    assert lines[0].split() == ["stack", "planned", "found"]
    assert lines[1].split() == ["cpus", "2", "quota", "2,", "4", "CPUs", "visible"]
    assert sum("!" in line for line in lines) == 1
    assert len(lines) == len(CHECKS) + 2


def test_an_interface_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(
        UserError, match="no network interface ib0; write one of lo, eth0"
    ) as caught:
        must_have_interface("ib0", [(1, "lo"), (2, "eth0")])
    assert caught.value.field == "spec.communication.interface"


def test_an_interface_that_is_there_or_not_asked_for_is_well() -> None:
    must_have_interface("eth0", [(1, "lo"), (2, "eth0")])
    must_have_interface(None)


def test_the_old_name_of_the_hub_cache_is_translated() -> None:
    added = variables(config(), MACHINE, {"TRANSFORMERS_CACHE": "/runs/cache"})
    assert added["HF_HUB_CACHE"] == "/runs/cache"


def test_the_new_name_of_the_hub_cache_wins() -> None:
    env = {"TRANSFORMERS_CACHE": "/runs/old", "HF_HUB_CACHE": "/runs/new"}
    assert "HF_HUB_CACHE" not in variables(config(), MACHINE, env)


def test_what_the_user_has_set_stays_but_for_threads() -> None:
    env = {"OMP_NUM_THREADS": "64", "TOKENIZERS_PARALLELISM": "false"}
    added = variables(config(), MACHINE, env)
    assert added["OMP_NUM_THREADS"] == "2"
    assert added[CPUS_VARIABLE] == "0,1,2,3"
    assert "TOKENIZERS_PARALLELISM" not in added

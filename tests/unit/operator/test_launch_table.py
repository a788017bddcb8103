"""How a worker's CPUs become ranks, threads and variables: the whole table, case by case."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.unit.operator.runs import run
from trainingrun_operator.plan import PlanError
from trainingrun_operator.plan.backend import choose_backend
from trainingrun_operator.plan.processes import Division, divide_cpus
from trainingrun_operator.plan.refusal import Refusals
from trainingrun_operator.plan.tuning import Tuning, tuning
from trainingrun_trainer.image_manifest import Runtime

XEON = Runtime.XEON
INTELS = {"KMP_BLOCKTIME": "1"}
CCLS = {"CCL_WORKER_COUNT": "1", "CCL_WORKER_AFFINITY": "auto"}


@dataclass(frozen=True)
class Case:
    """CPUs and what is asked of them; what comes of it."""

    cpu: str
    processes: int
    threads: int
    asked: dict[str, Any] = field(default_factory=dict)
    """`spec.cpu`."""
    ranks: int | str = "auto"
    backend: str = "auto"
    batch: int = 48
    workers: int = 1
    runtime: Runtime = Runtime.CPU
    variables: dict[str, str] = field(default_factory=dict)
    """Beside OMP_NUM_THREADS."""


TABLE = (
    # One rank, no hints
    Case("500m", 1, 1),
    Case("100m", 1, 1),
    Case("1", 1, 1),
    Case("1900m", 1, 1),
    Case("2", 1, 2),
    Case("3", 1, 3),
    Case("7", 1, 7),
    Case("8", 1, 8),
    Case("56", 1, 56),
    Case("112", 1, 112),
    Case("8", 1, 8, {"hugePages": "Transparent"}, variables={"THP_MEM_ALLOC_ENABLE": "1"}),
    # Several ranks
    Case("2", 2, 1, ranks=2),
    Case("3", 2, 1, ranks=2),
    Case("7", 2, 3, ranks=2),
    Case("8", 4, 2, ranks=4),
    Case("56", 2, 28, ranks=2),
    Case("500m", 1, 1, ranks=1),
    # Hyper-threading: CPUs are half cores
    Case("8", 1, 4, {"threadsPerCore": 2}),
    Case("112", 1, 56, {"threadsPerCore": 2}),
    Case("112", 2, 28, {"threadsPerCore": 2}, ranks=2),
    Case("1", 1, 1, {"threadsPerCore": 2}),
    Case("3", 1, 1, {"threadsPerCore": 2}),
    Case("8", 1, 8, {"threadsPerCore": 1}),
    # Sockets and NUMA nodes: a rank for each, if samples and CPUs go round
    Case("112", 2, 56, {"sockets": 2}),
    Case("112", 2, 28, {"sockets": 2, "threadsPerCore": 2}),
    Case("112", 4, 28, {"numaNodes": 4}),
    Case("112", 4, 28, {"sockets": 2, "numaNodes": 4}),
    Case("8", 1, 8, {"sockets": 1}),
    Case("112", 1, 112, {"sockets": 2}, batch=7),
    Case("112", 2, 56, {"numaNodes": 4}, batch=6),
    Case("112", 2, 56, {"sockets": 2}, workers=3),
    Case("1", 1, 1, {"sockets": 2}),
    Case("112", 1, 112, {"sockets": 2}, ranks=1),
    # Asked for by hand
    Case("8", 1, 3, {"threads": 3}),
    Case("8", 2, 4, {"threads": 4}, ranks=2),
    Case("8", 1, 8, {"threads": 8, "threadsPerCore": 2}),
    Case("2", 1, 4, {"threads": 4, "allowOversubscription": True}),
    Case("1", 2, 1, {"allowOversubscription": True}, ranks=2),
    Case("8", 1, 6, {"dataLoaderWorkers": 2}),
    Case("8", 2, 3, {"dataLoaderWorkers": 1}, ranks=2),
    Case("1", 1, 1, {"dataLoaderWorkers": 1, "allowOversubscription": True}),
    # Intel's OpenMP
    Case("8", 1, 8, {"openmp": "intel"}, variables=INTELS),
    Case("8", 1, 8, {"openmp": "gnu"}),
    Case(
        "8",
        1,
        8,
        {"openmp": "intel", "blockTimeMilliseconds": 0},
        variables={"KMP_BLOCKTIME": "0"},
    ),
    # ccl where there is none: as gloo
    Case("8", 1, 8, backend="ccl"),
    # Xeon: Intel's OpenMP, and a CPU of each rank for oneCCL
    Case("8", 1, 7, runtime=XEON, variables=INTELS | CCLS),
    Case("1", 1, 1, runtime=XEON, variables=INTELS | CCLS),
    Case("500m", 1, 1, runtime=XEON, variables=INTELS | CCLS),
    Case("56", 2, 27, runtime=XEON, ranks=2, variables=INTELS | CCLS),
    Case("112", 2, 55, {"sockets": 2}, runtime=XEON, variables=INTELS | CCLS),
    Case("112", 2, 27, {"sockets": 2, "threadsPerCore": 2}, runtime=XEON, variables=INTELS | CCLS),
    Case("8", 1, 8, runtime=XEON, backend="gloo", variables=INTELS),
    Case("8", 1, 7, {"openmp": "gnu"}, runtime=XEON, variables=CCLS),
)


def planned(case: Case) -> tuple[Division, Tuning]:
    spec = run(
        workers={
            "count": case.workers,
            "resources": {"cpu": case.cpu},
            "processesPerWorker": case.ranks,
        },
        training={"maxSteps": 1, "globalBatchSize": case.batch},
        communication={"backend": case.backend},
        cpu=case.asked,
    ).spec
    refusals = Refusals()
    backend = choose_backend(spec.communication, case.runtime, refusals)
    division = divide_cpus(spec, backend.name, refusals)
    tuned = tuning(spec, division, case.runtime, refusals)
    refusals.raise_any()
    return division, tuned


def tuned(**groups: Any) -> Tuning:
    spec, refusals = run(**groups).spec, Refusals()
    return tuning(spec, divide_cpus(spec, "gloo", refusals), Runtime.CPU, refusals)


def named(case: Case) -> str:
    ranks = "" if case.ranks == "auto" else f" in {case.ranks} ranks"
    asked = " ".join(f"{name}={value}" for name, value in case.asked.items())
    return f"{case.runtime} {case.cpu} CPUs{ranks} {case.backend} batch {case.batch} {asked}"


@pytest.mark.parametrize("case", TABLE, ids=named)
def test_cpus_become_ranks_threads_and_variables(case: Case) -> None:
    division, tuned = planned(case)
    assert (division.processes, division.threads) == (case.processes, case.threads)
    assert dict(tuned.variables) == {"OMP_NUM_THREADS": str(case.threads), **case.variables}


@pytest.mark.parametrize("case", TABLE, ids=named)
def test_nothing_is_oversubscribed_unless_that_is_permitted(case: Case) -> None:
    division, _ = planned(case)
    ranks, cpus = division.processes, float(case.cpu.removesuffix("m"))
    cpus = cpus / 1000 if case.cpu.endswith("m") else cpus
    permitted = case.asked.get("allowOversubscription", False)
    assert permitted or ranks * (division.threads + division.data_loader_workers) <= max(cpus, 1)


@pytest.mark.parametrize("case", TABLE, ids=named)
def test_every_choice_has_a_reason_in_words(case: Case) -> None:
    division, tuned = planned(case)
    choices = (*division.choices, *tuned.choices)
    assert all(len(choice.reason.split()) > 2 for choice in choices)
    assert len({choice.name for choice in choices}) == len(choices)


@pytest.mark.parametrize(
    ("cpu", "ranks", "asked", "field", "mend"),
    [
        ("4", 2, {"threads": 3}, "spec.cpu.threads", "at most 2"),
        ("500m", "auto", {"threads": 2}, "spec.cpu.threads", "at most 1"),
        ("2", 4, {}, "spec.workers.processesPerWorker", "at most 2"),
        ("1", "auto", {"dataLoaderWorkers": 1}, "spec.cpu.dataLoaderWorkers", "at most 0"),
        ("8", 2, {"dataLoaderWorkers": 4}, "spec.cpu.dataLoaderWorkers", "at most 3"),
        ("8", "auto", {"threads": 8, "dataLoaderWorkers": 1}, "spec.cpu.threads", "at most 7"),
        ("8", 4, {"interopThreads": 3}, "spec.cpu.interopThreads", "at most 2"),
    ],
)
def test_more_than_the_cpus_is_refused_with_the_most_that_fits(
    cpu: str, ranks: int | str, asked: dict[str, Any], field: str, mend: str
) -> None:
    with pytest.raises(PlanError) as caught:
        planned(Case(cpu, 1, 1, asked, ranks=ranks))
    (problem,) = caught.value.problems
    assert problem.path == field
    assert mend in problem.message
    assert "spec.cpu.allowOversubscription" in problem.message


def test_threads_of_several_ranks_cannot_be_bound_by_gnus_openmp() -> None:
    with pytest.raises(PlanError, match=r"spec\.cpu\.affinity: .* write ranks, or"):
        planned(Case("8", 2, 4, {"affinity": "threads"}, ranks=2))
    planned(Case("8", 2, 4, {"affinity": "threads", "openmp": "intel"}, ranks=2))


def test_a_users_own_variable_is_left_alone_and_told() -> None:
    made = tuned(
        cpu={"openmp": "intel"}, workers={"env": [{"name": "KMP_BLOCKTIME", "value": "30"}]}
    )
    told = {c.name: c.reason for c in made.choices}
    assert told["KMP_BLOCKTIME"] == "as spec.workers.env says"


def test_the_old_name_of_the_hub_cache_is_told_of() -> None:
    made = tuned(workers={"env": [{"name": "TRANSFORMERS_CACHE", "value": "/runs/cache"}]})
    told = {c.name: c.value for c in made.choices}
    assert told["TRANSFORMERS_CACHE"] == "HF_HUB_CACHE"


def xeon(**communication: Any) -> tuple[Division, Tuning]:
    spec, refusals = (
        run(workers={"resources": {"cpu": "8"}}, communication=communication).spec,
        Refusals(),
    )
    division = divide_cpus(spec, "ccl", refusals)
    return division, tuning(spec, division, XEON, refusals)


def test_threads_of_oneccl_and_their_cpus_are_as_asked() -> None:
    division, tuned = xeon(cclWorkers=2, cclWorkerAffinity="6,7")
    assert division.threads == 6
    told = dict(tuned.variables)
    assert (told["CCL_WORKER_COUNT"], told["CCL_WORKER_AFFINITY"]) == ("2", "6,7")


def test_oneccl_keeps_to_the_interface_that_is_named() -> None:
    _, tuned = xeon(interface="eth1")
    told = dict(tuned.variables)
    names = ("CCL_KVS_IFACE", "FI_TCP_IFACE", "GLOO_SOCKET_IFNAME")
    assert {name: told[name] for name in names} == dict.fromkeys(names, "eth1")

"""How a worker's CPUs are divided: ranks, threads of each, and what runs beside them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from trainingrun_operator.api.cpu import CpuSpec
from trainingrun_operator.api.quantities import cpus
from trainingrun_operator.api.status import PlanChoice
from trainingrun_operator.api.v1alpha1 import TrainingRunSpec
from trainingrun_operator.plan.refusal import Refusals
from trainingrun_trainer.batching import fitting_world_sizes

_ONE = Decimal(1)
CCL_WORKERS: Final = 1
"""Threads in which oneCCL moves data for one rank; its own default."""


@dataclass(frozen=True)
class Division:
    """Ranks in each worker; threads, data-loader workers and oneCCL workers of each rank."""

    processes: int
    threads: int
    interop_threads: int
    data_loader_workers: int
    ccl_workers: int
    choices: tuple[PlanChoice, ...]


def divide_cpus(spec: TrainingRunSpec, backend: str, refusals: Refusals) -> Division:
    """Never more threads than CPUs unless that is asked for and permitted: threads that share a
    core wait for each other in every kernel. Refused where more ranks or threads are asked for.
    """
    limit = cpus(spec.workers.resources.cpu)
    if not limit:
        refusals.add("spec.workers.resources.cpu", "no CPU at all cannot train; write 1 or more")
    cores = max(limit / (spec.cpu.threads_per_core or 1), min(limit, _ONE))
    processes = _processes(spec, limit, cores, refusals)
    ranks = int(processes.value)
    loaders = _loaders(spec.cpu, limit, ranks, refusals)
    movers = _ccl(spec, limit, ranks, refusals) if backend == "ccl" else ()
    ccl = sum(int(choice.value) for choice in movers)
    beside = int(loaders.value) + ccl
    threads = _threads(spec.cpu, limit, cores, ranks, beside, refusals)
    interop = _interop(spec.cpu, limit, ranks, refusals)
    return Division(
        processes=ranks,
        threads=int(threads.value),
        interop_threads=int(interop.value),
        data_loader_workers=int(loaders.value),
        ccl_workers=ccl,
        choices=(processes, threads, interop, loaders, *movers),
    )


def _processes(
    spec: TrainingRunSpec, limit: Decimal, cores: Decimal, refusals: Refusals
) -> PlanChoice:
    field, asked = "spec.workers.processesPerWorker", spec.workers.processes_per_worker
    if asked == "auto":
        return _one_for_each_domain(spec, cores)
    if asked > max(limit, _ONE) and not spec.cpu.allow_oversubscription:
        refusals.add(
            field,
            f"{asked} ranks would share {limit} CPUs; write at most {max(int(limit), 1)}, raise "
            "spec.workers.resources.cpu, or set spec.cpu.allowOversubscription",
        )
    return _choice("processesPerWorker", asked, f"as {field} says")


def _one_for_each_domain(spec: TrainingRunSpec, cores: Decimal) -> PlanChoice:
    """One rank for each NUMA node, or else socket: memory of another one is slow to reach."""
    told = spec.cpu.numa_nodes or spec.cpu.sockets
    what = "NUMA node" if spec.cpu.numa_nodes else "socket"
    if told is None or told == 1:
        return _choice("processesPerWorker", 1, "one rank uses all CPUs of its worker by threads")
    fitting = [n for n in range(1, told + 1) if not told % n and n <= cores and _fits(spec, n)]
    processes = max(fitting, default=1)
    if processes == told:
        return _choice("processesPerWorker", told, f"one rank for each of {told} {what}s")
    return _choice(
        "processesPerWorker",
        processes,
        f"{told} {what}s cannot have a rank each: {spec.workers.count} workers with so many cannot "
        "share spec.training.globalBatchSize evenly, or have too few CPUs",
    )


def _fits(spec: TrainingRunSpec, processes: int) -> bool:
    world, training = spec.workers.count * processes, spec.training
    return training is None or world in fitting_world_sizes(
        training.global_batch_size, world, training.per_device_batch_size
    )


def _loaders(cpu: CpuSpec, limit: Decimal, ranks: int, refusals: Refusals) -> PlanChoice:
    field, asked = "spec.cpu.dataLoaderWorkers", cpu.data_loader_workers
    if asked == "auto":
        return _choice("dataLoaderWorkers", 0, "samples are in memory before training begins")
    if asked and ranks * (asked + 1) > max(limit, _ONE) and not cpu.allow_oversubscription:
        refusals.add(
            field,
            f"{ranks} rank(s) with {asked} data-loader worker(s) each would share {limit} CPUs; "
            f"write at most {max(int(limit / ranks) - 1, 0)}, raise spec.workers.resources.cpu, or "
            "set spec.cpu.allowOversubscription",
        )
    return _choice("dataLoaderWorkers", asked, f"as {field} says")


def _threads(
    cpu: CpuSpec, limit: Decimal, cores: Decimal, ranks: int, beside: int, refusals: Refusals
) -> PlanChoice:
    field, asked = "spec.cpu.threads", cpu.threads
    if asked == "auto":
        return _choice(
            "threads", max(int(cores / ranks) - beside, 1), _why(cpu, limit, ranks, beside)
        )
    most = max(int(limit / ranks) - beside, 1)
    if asked > most and not cpu.allow_oversubscription:
        besides = f" beside {beside} that move data" if beside else ""
        refusals.add(
            field,
            f"{asked} threads in each of {ranks} ranks{besides} would share {limit} CPUs; write at "
            f"most {most}, raise spec.workers.resources.cpu, or set spec.cpu.allowOversubscription",
        )
    more = ", more than the CPUs, as spec.cpu.allowOversubscription permits" if asked > most else ""
    return _choice("threads", asked, f"as {field} says{more}")


def _why(cpu: CpuSpec, limit: Decimal, ranks: int, beside: int) -> str:
    cores = f"{limit} CPUs of a worker"
    if cpu.threads_per_core and cpu.threads_per_core > 1:
        cores += (
            f", {cpu.threads_per_core} to a core (threads of one core share its arithmetic units),"
        )
    less = f", less {beside} that move data" if beside else ""
    return f"{cores} divided by its ranks ({ranks}){less}"


def _interop(cpu: CpuSpec, limit: Decimal, ranks: int, refusals: Refusals) -> PlanChoice:
    field, asked = "spec.cpu.interopThreads", cpu.interop_threads
    if asked == "auto":
        reason = "a Transformer's operators follow one another; nothing runs side by side"
        return _choice("interopThreads", 1, reason)
    most = max(int(limit / ranks), 1)
    if asked > most and not cpu.allow_oversubscription:
        refusals.add(
            field,
            f"{asked} threads in each of {ranks} ranks would share {limit} CPUs; write at most "
            f"{most}, raise spec.workers.resources.cpu, or set spec.cpu.allowOversubscription",
        )
    return _choice("interopThreads", asked, f"as {field} says")


def _ccl(
    spec: TrainingRunSpec, limit: Decimal, ranks: int, refusals: Refusals
) -> tuple[PlanChoice]:
    field, asked = "spec.communication.cclWorkers", spec.communication.ccl_workers
    if asked is None:
        reason = "oneCCL moves data in a thread of its own, which takes a CPU of each rank's"
        return (_choice("cclWorkers", CCL_WORKERS, reason),)
    most = max(int(limit / ranks) - 1, 1)
    if asked > most and not spec.cpu.allow_oversubscription:
        refusals.add(
            field,
            f"{ranks} rank(s) with {asked} oneCCL worker(s) each would share {limit} CPUs; write "
            f"at most {most}, raise spec.workers.resources.cpu, or "
            "set spec.cpu.allowOversubscription",
        )
    return (_choice("cclWorkers", asked, f"as {field} says"),)


def _choice(name: str, value: int, reason: str) -> PlanChoice:
    return PlanChoice(name=name, value=str(value), reason=reason)

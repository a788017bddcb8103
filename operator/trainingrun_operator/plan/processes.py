"""How a worker's CPUs are divided: ranks, and OpenMP threads of each."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from trainingrun_operator.api.quantities import cpus
from trainingrun_operator.api.status import PlanChoice
from trainingrun_operator.api.v1alpha1 import TrainingRunSpec
from trainingrun_operator.plan.refusal import PlanError

_ONE = Decimal(1)


@dataclass(frozen=True)
class Division:
    """Ranks in each worker, and threads of each rank."""

    processes: int
    threads: int
    choices: tuple[PlanChoice, ...]


def divide_cpus(spec: TrainingRunSpec) -> Division:
    """Never more threads than CPUs: threads that share a core wait for each other in every kernel.

    Raises:
        PlanError: the ranks or threads asked for are more than the CPUs.
    """
    limit = cpus(spec.workers.resources.cpu)
    if not limit:
        raise PlanError("spec.workers.resources.cpu", "no CPU at all cannot train; write 1 or more")
    processes = _processes(spec, limit)
    threads = _threads(spec, limit, int(processes.value))
    return Division(int(processes.value), int(threads.value), (processes, threads))


def _processes(spec: TrainingRunSpec, limit: Decimal) -> PlanChoice:
    asked = spec.workers.processes_per_worker
    if asked == "auto":
        return _choice("processesPerWorker", 1, "one rank uses all CPUs of its worker by threads")
    if asked > max(limit, _ONE):
        raise PlanError(
            "spec.workers.processesPerWorker",
            f"{asked} ranks would share {limit} CPUs; write at most {max(int(limit), 1)}, or raise "
            "spec.workers.resources.cpu",
        )
    return _choice("processesPerWorker", asked, "as spec.workers.processesPerWorker says")


def _threads(spec: TrainingRunSpec, limit: Decimal, processes: int) -> PlanChoice:
    asked, share = spec.cpu.threads, max(int(limit / processes), 1)
    if asked == "auto":
        return _choice(
            "threads", share, f"{limit} CPUs of a worker divided by its ranks ({processes})"
        )
    if asked * processes > max(limit, _ONE):
        raise PlanError(
            "spec.cpu.threads",
            f"{asked} threads in each of {processes} ranks would share {limit} CPUs; write at most "
            f"{share}, or raise spec.workers.resources.cpu",
        )
    return _choice("threads", asked, "as spec.cpu.threads says")


def _choice(name: str, value: int, reason: str) -> PlanChoice:
    return PlanChoice(name=name, value=str(value), reason=reason)

"""What libraries are told by variables, and which libraries: the worker's tuning, with reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trainingrun_operator.api.communication import CommunicationSpec
from trainingrun_operator.api.cpu import CpuSpec
from trainingrun_operator.api.status import PlanChoice
from trainingrun_operator.api.v1alpha1 import TrainingRunSpec
from trainingrun_operator.plan.processes import Division
from trainingrun_operator.plan.refusal import Refusals
from trainingrun_trainer.config import (
    DEFAULT_ALLOCATOR,
    Affinity,
    Allocator,
    HugePages,
    OpenMP,
    Precision,
)
from trainingrun_trainer.image_manifest import Runtime

BLOCK_TIME_MILLISECONDS: Final = 1
"""Intel's own default of 200 keeps threads spinning on CPUs that the quota then takes away."""

_PRECISIONS: Final = {
    Precision.AUTO: "bfloat16 where the processors of all workers have AMX, else float32: the "
    "worker's log and StackVerified say which",
    Precision.MEASURE: "the faster one in a few passes of the model, decided once by rank 0",
}
_HUGE_PAGES: Final[dict[HugePages, dict[str, str]]] = {
    HugePages.OFF: {},
    # torch then advises the kernel (madvise) for allocations of 2 MiB and more.
    HugePages.TRANSPARENT: {"THP_MEM_ALLOC_ENABLE": "1"},
}
_AFFINITIES: Final = {
    Affinity.AUTO: "ranks keep to CPUs where the worker's turn out to be its own alone: elsewhere "
    "another pod may keep to the same ones",
}


@dataclass(frozen=True)
class Tuning:
    """Variables by name, and the choices behind them."""

    variables: tuple[tuple[str, str], ...]
    choices: tuple[PlanChoice, ...]


def tuning(
    spec: TrainingRunSpec, division: Division, runtime: Runtime, refusals: Refusals
) -> Tuning:
    """What each worker of a run is tuned to. A user's own variable of the same name wins.

    Refused where threads cannot be bound as asked.
    """
    cpu = spec.cpu
    ours = {
        "OMP_NUM_THREADS": str(division.threads),
        **_HUGE_PAGES[cpu.huge_pages],
        **_intels(cpu, runtime),
        **_ccls(spec.communication, division),
        **_gloos(spec.communication.interface),
    }
    users = {variable.name for variable in spec.workers.env}
    return Tuning(
        variables=tuple(ours.items()),
        choices=(
            _allocator(cpu),
            _openmp(cpu, runtime),
            _affinity(cpu, runtime, division.processes, refusals),
            *_huge_pages(cpu.huge_pages),
            *([_precision(spec.training.precision)] if spec.training is not None else []),
            *(
                PlanChoice(name=name, value="yours", reason="as spec.workers.env says")
                for name in ours
                if name in users
            ),
            *_cache(users),
        ),
    )


def _allocator(cpu: CpuSpec) -> PlanChoice:
    if cpu.allocator is Allocator.AUTO:
        reason = "hands memory of tensors out again without asking the kernel; the system's where "
        reason += "the image declares no other"
        return PlanChoice(name="allocator", value=DEFAULT_ALLOCATOR.value, reason=reason)
    reason = "as spec.cpu.allocator says"
    return PlanChoice(name="allocator", value=cpu.allocator.value, reason=reason)


def openmp(cpu: CpuSpec, runtime: Runtime) -> OpenMP:
    """What to preload; auto where torch's own serves."""
    return OpenMP.INTEL if cpu.openmp is OpenMP.AUTO and runtime is Runtime.XEON else cpu.openmp


def _openmp(cpu: CpuSpec, runtime: Runtime) -> PlanChoice:
    chosen = openmp(cpu, runtime)
    if chosen is OpenMP.AUTO:
        chosen, reason = OpenMP.GNU, "torch is built with it"
    elif chosen is cpu.openmp:
        reason = "as spec.cpu.openmp says"
    else:
        reason = "IPEX and oneCCL are built for it"
    return PlanChoice(name="openmp", value=chosen.value, reason=reason)


def _affinity(cpu: CpuSpec, runtime: Runtime, processes: int, refusals: Refusals) -> PlanChoice:
    one_place_list = openmp(cpu, runtime) is not OpenMP.INTEL
    if cpu.affinity is Affinity.THREADS and one_place_list and processes > 1:
        refusals.add(
            "spec.cpu.affinity",
            f"GNU's OpenMP has one list of CPUs for all {processes} ranks of a worker; write "
            "ranks, or spec.cpu.openmp: intel",
        )
    reason = _AFFINITIES.get(cpu.affinity, "as spec.cpu.affinity says")
    return PlanChoice(name="affinity", value=cpu.affinity.value, reason=reason)


def _huge_pages(asked: HugePages) -> tuple[PlanChoice, ...]:
    if asked is HugePages.OFF:
        return ()
    reason = "as spec.cpu.hugePages says"
    return (PlanChoice(name="hugePages", value=asked.value, reason=reason),)


def _intels(cpu: CpuSpec, runtime: Runtime) -> dict[str, str]:
    if openmp(cpu, runtime) is not OpenMP.INTEL:
        return {}
    asked = cpu.block_time_milliseconds
    return {"KMP_BLOCKTIME": str(BLOCK_TIME_MILLISECONDS if asked is None else asked)}


def _ccls(asked: CommunicationSpec, division: Division) -> dict[str, str]:
    if not division.ccl_workers:
        return {}
    # oneCCL meets over one interface, and its fabric, libfabric's tcp, is told apart.
    names = ("CCL_KVS_IFACE", "FI_TCP_IFACE") if asked.interface is not None else ()
    return {
        "CCL_WORKER_COUNT": str(division.ccl_workers),
        # auto: on the last of the CPUs that the rank may use, which its threads leave free.
        "CCL_WORKER_AFFINITY": asked.ccl_worker_affinity or "auto",
        **dict.fromkeys(names, asked.interface or ""),
    }


def _gloos(interface: str | None) -> dict[str, str]:
    return {} if interface is None else {"GLOO_SOCKET_IFNAME": interface}


def _precision(asked: Precision) -> PlanChoice:
    reason = _PRECISIONS.get(asked, "as spec.training.precision says")
    return PlanChoice(name="precision", value=asked.value, reason=reason)


def _cache(users: set[str]) -> tuple[PlanChoice, ...]:
    if "TRANSFORMERS_CACHE" not in users or "HF_HUB_CACHE" in users:
        return ()
    reason = "Transformers 5 does not read it: the worker sets HF_HUB_CACHE to its value"
    return (PlanChoice(name="TRANSFORMERS_CACHE", value="HF_HUB_CACHE", reason=reason),)

"""What ranks talk to each other by: what was asked for, as far as the runtime has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from trainingrun_operator.api.communication import CommunicationSpec
from trainingrun_operator.api.status import PlanChoice
from trainingrun_operator.plan.refusal import Refusals
from trainingrun_trainer.config import BackendName
from trainingrun_trainer.image_manifest import Runtime

FIELD: Final = "spec.communication.backend"
WITH_CCL: Final = frozenset({Runtime.XEON})
"""oneCCL's binding was last made for torch 2.8, which only this runtime has."""


@dataclass(frozen=True)
class Backend:
    """`fallback` says in words what was asked for and is not had; "" if all is as asked."""

    name: BackendName
    choice: PlanChoice
    fallback: str = ""


def choose_backend(asked: CommunicationSpec, runtime: Runtime, refusals: Refusals) -> Backend:
    """The backend of a run; refused where it cannot be had and nothing may take its place."""
    match asked.backend:
        case "auto" if runtime in WITH_CCL:
            return _backend(BackendName.CCL, f"runtime {runtime} is there for oneCCL")
        case "auto":
            _must_have_no_ccl_workers(asked, runtime, refusals)
            return _backend(BackendName.GLOO, "ranks train on CPUs")
        case "gloo":
            return _backend(BackendName.GLOO, f"as {FIELD} says")
        case "ccl" if runtime in WITH_CCL:
            return _backend(BackendName.CCL, f"as {FIELD} says")
        case "ccl":
            return _in_place_of_ccl(asked, runtime, refusals)
        case "mpi":
            lacking = f"torch of runtime {runtime} is built without MPI"
            refusals.add(
                FIELD, f"{lacking}, and ranks of mpi can only be started by mpirun; write gloo"
            )
            return _backend(BackendName.GLOO, lacking)


def _must_have_no_ccl_workers(
    asked: CommunicationSpec, runtime: Runtime, refusals: Refusals
) -> None:
    for name, value in (
        ("cclWorkers", asked.ccl_workers),
        ("cclWorkerAffinity", asked.ccl_worker_affinity),
    ):
        if value is not None:
            refusals.add(
                f"spec.communication.{name}",
                f"ranks of runtime {runtime} use gloo; remove it, or write spec.runtime: xeon",
            )


def _in_place_of_ccl(asked: CommunicationSpec, runtime: Runtime, refusals: Refusals) -> Backend:
    lacking = f"runtime {runtime} has no ccl (oneCCL's binding needs torch 2.8)"
    if asked.required:
        refusals.add(
            FIELD, f"{lacking}, and spec.communication.required is true; write gloo or auto"
        )
    fallback = f"{FIELD}: {lacking}; gloo takes its place"
    return Backend(
        BackendName.GLOO,
        PlanChoice(name="backend", value=BackendName.GLOO, reason=fallback),
        fallback,
    )


def _backend(name: BackendName, reason: str) -> Backend:
    return Backend(name, PlanChoice(name="backend", value=name, reason=reason))

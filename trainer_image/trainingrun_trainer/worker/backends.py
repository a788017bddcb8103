"""The backend of the process group: the one that was asked for, or gloo and the reason why.

`ready` does what must come before the group is made; `choose` decides from what every rank found,
so that all ranks take the same one.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import torch
import torch.distributed as dist

from trainingrun_trainer.config import BackendName, Communication
from trainingrun_trainer.errors import UserError
from trainingrun_trainer.worker.seat import Seat

CCL_BINDING: Final = "oneccl_bindings_for_pytorch"
"""Registers the backend `ccl` when it is imported."""

FIELD: Final = "spec.communication.backend"


@dataclass(frozen=True)
class Chosen:
    """`reason` says why it is not what was asked for; empty if it is."""

    backend: BackendName
    reason: str = ""


def ready(backend: BackendName, seat: Seat) -> str:
    """Makes a backend ready for `init_process_group`; what stands in the way, or nothing."""
    match backend:
        case BackendName.CCL:
            return _ready_ccl(seat)
        case BackendName.MPI:
            return mpi_obstacle(dist.is_mpi_available(), seat)
        case BackendName.NCCL if not (dist.is_nccl_available() and torch.cuda.is_available()):
            return "torch finds no CUDA device here"
    return ""


def choose(communication: Communication, obstacles: Sequence[str]) -> Chosen:
    """The backend of all ranks, from the obstacles of each (empty where there are none).

    Raises:
        UserError: it cannot be had and must be, or is one that gloo cannot stand in for.
    """
    asked = communication.backend
    met = sorted({obstacle for obstacle in obstacles if obstacle})
    if not met:
        return Chosen(asked)
    reason = "; ".join(met)
    if communication.required or asked is BackendName.MPI:
        raise UserError(
            f"the backend {asked} cannot be had: {reason}; {_MENDS[asked]}, or write gloo", FIELD
        )
    return Chosen(BackendName.GLOO, f"{asked} cannot be had: {reason}")


_MENDS: Final[Mapping[BackendName, str]] = {
    BackendName.CCL: "use an image of the runtime xeon with oneCCL's binding in it",
    BackendName.MPI: "start the ranks by mpirun with a torch that was built with MPI",
    BackendName.NCCL: "use an image and nodes of the runtime cuda",
}


def ccl_environment(seat: Seat, env: Mapping[str, str]) -> dict[str, str]:
    """What oneCCL reads when its binding is loaded. What is set already stays.

    Rank and size are always ours: the ranks are started by torch's agent or by a launcher that
    oneCCL need not know, hence CCL_PROCESS_LAUNCHER=none with the local rank and size beside it.
    """
    defaults = {
        # Ethernet and every pod network carry it; faster fabrics are the user's to name.
        "FI_PROVIDER": "tcp",
        "CCL_ATL_TRANSPORT": "ofi",
        "CCL_WORKER_COUNT": "1",
    }
    return {
        **{name: value for name, value in defaults.items() if not env.get(name)},
        **seat.variables(),
        "CCL_PROCESS_LAUNCHER": "none",
        "CCL_LOCAL_RANK": str(seat.local_rank),
        "CCL_LOCAL_SIZE": str(seat.local_world_size),
    }


def mpi_obstacle(built: bool, seat: Seat) -> str:
    """Why the backend mpi cannot be had by a rank in this seat; empty if it can."""
    if not built:
        return f"torch {torch.__version__} was built without MPI"
    return "" if seat.by_mpi else "no mpirun started the ranks"


def _ready_ccl(seat: Seat) -> str:
    os.environ.update(ccl_environment(seat, os.environ))
    try:
        importlib.import_module(CCL_BINDING)
    except ModuleNotFoundError as error:
        return f"the image has no module {error.name}"
    except (ImportError, OSError, RuntimeError) as error:
        return f"the module {CCL_BINDING} cannot be loaded: {error}"
    if BackendName.CCL not in dist.Backend.backend_list:
        return f"the module {CCL_BINDING} has registered no backend ccl"
    return ""

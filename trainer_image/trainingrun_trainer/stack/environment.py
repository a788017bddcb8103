"""What libraries read when they are loaded, hence set before the fork server loads them."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping

from trainingrun_trainer.config import LaunchConfig
from trainingrun_trainer.errors import UserError
from trainingrun_trainer.stack.affinity import binding, listed
from trainingrun_trainer.stack.machine import CPUS_VARIABLE, Machine


def variables(config: LaunchConfig, machine: Machine, env: Mapping[str, str]) -> dict[str, str]:
    """What to add to the environment; what the user has set stays, but for what is ours alone."""
    bound = binding(config.cpu, config.processes.per_worker, machine.cpus)
    ours = {
        "OMP_NUM_THREADS": str(config.cpu.threads),
        CPUS_VARIABLE: listed(cpu.number for cpu in machine.cpus),
    }
    defaults = {
        **bound.variables,
        # Connections are retried by us; torch prints each refused one as a warning.
        "TORCH_CPP_LOG_LEVEL": "ERROR",
        # Tokenizing is done by one rank for all, so it may use all of the worker's threads.
        "RAYON_NUM_THREADS": str(config.cpu.threads * config.processes.per_worker),
        "TOKENIZERS_PARALLELISM": "true",
        **_cache(env),
    }
    return ours | {name: value for name, value in defaults.items() if name not in env}


def must_have_interface(wanted: str | None, there: Iterable[tuple[int, str]] | None = None) -> None:
    """Returns if the network interface exists; `there` as from `socket.if_nameindex`.

    Raises:
        UserError: it does not; names those that do.
    """
    names = [name for _, name in (socket.if_nameindex() if there is None else there)]
    if wanted is not None and wanted not in names:
        raise UserError(
            f"this worker has no network interface {wanted}; write one of {', '.join(names)}, or "
            "remove the field",
            "spec.communication.interface",
        )


def _cache(env: Mapping[str, str]) -> dict[str, str]:
    # Transformers 5 does not read the old name, and says nothing.
    old = env.get("TRANSFORMERS_CACHE")
    return {} if old is None else {"HF_HUB_CACHE": old}

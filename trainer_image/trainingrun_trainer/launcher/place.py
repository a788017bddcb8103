"""Where this launcher runs: its place among the workers, read from the environment once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

KUBERNETES_TERMINATION_LOG: Final = Path("/dev/termination-log")


@dataclass(frozen=True)
class Place:
    """`host` is the rendezvous endpoint as other workers reach it; port 0 means any free port."""

    worker: int
    host: str
    port: int


def place(env: Mapping[str, str]) -> Place:
    """This worker's place; without PET_RDZV_ENDPOINT, the only worker, on this machine.

    Raises:
        ValueError: a variable is malformed; the message names it.
    """
    endpoint = env.get("PET_RDZV_ENDPOINT", "")
    if not endpoint:
        return Place(0, "localhost", 0)
    host, _, port = endpoint.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(f"PET_RDZV_ENDPOINT is {endpoint!r}; write host:port")
    index = env.get("TRAININGRUN_WORKER_INDEX", "")
    if not index.isdecimal():
        raise ValueError(f"TRAININGRUN_WORKER_INDEX is {index!r}; write the replica's index")
    return Place(int(index), host, int(port))


def termination_log(env: Mapping[str, str]) -> Path | None:
    """Where the last words go; None where nobody reads them."""
    if chosen := env.get("TRAININGRUN_TERMINATION_LOG"):
        return Path(chosen)
    return KUBERNETES_TERMINATION_LOG if KUBERNETES_TERMINATION_LOG.exists() else None

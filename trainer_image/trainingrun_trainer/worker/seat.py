"""Which rank this process is, in the words of whatever started it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self


class SeatError(ValueError):
    """The environment tells of a rank that cannot be; the message names the variable."""


@dataclass(frozen=True)
class Seat:
    """One rank's place in the world, and among the ranks on its machine."""

    rank: int
    world_size: int
    local_rank: int
    local_world_size: int
    by_mpi: bool = False
    """Whether an MPI launcher started it."""

    @classmethod
    def of(cls, env: Mapping[str, str]) -> Self:
        """The seat that the first of the known launchers gave; the only rank where none did.

        Raises:
            SeatError: a variable is no number, or too large for the others.
        """
        for family in FAMILIES:
            if all(name in env for name in family.names):
                rank, world_size, local_rank, local_world_size = (
                    _number(env, name) for name in family.names
                )
                if not rank < world_size or not local_rank < local_world_size <= world_size:
                    told = ", ".join(f"{name}={env[name]}" for name in family.names)
                    raise SeatError(f"{told}: no such rank; start all ranks with one launcher")
                return cls(rank, world_size, local_rank, local_world_size, family.mpi)
        return cls(0, 1, 0, 1)

    def variables(self) -> dict[str, str]:
        """The seat in torch's own words, which Accelerate and oneCCL's binding read."""
        numbers = (self.rank, self.world_size, self.local_rank, self.local_world_size)
        return dict(zip(TORCH.names, map(str, numbers), strict=True))


@dataclass(frozen=True)
class Family:
    """How one launcher tells rank, world size, local rank and ranks on the machine."""

    names: tuple[str, str, str, str]
    mpi: bool = False


TORCH: Final = Family(("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"))
INTEL_MPI: Final = Family(("PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"), mpi=True)
OPEN_MPI: Final = Family(
    (
        "OMPI_COMM_WORLD_RANK",
        "OMPI_COMM_WORLD_SIZE",
        "OMPI_COMM_WORLD_LOCAL_RANK",
        "OMPI_COMM_WORLD_LOCAL_SIZE",
    ),
    mpi=True,
)
FAMILIES: Final = (TORCH, INTEL_MPI, OPEN_MPI)
"""Torch's first: torchrun under an mpirun is the launcher of the ranks."""


def _number(env: Mapping[str, str], name: str) -> int:
    if not env[name].isdecimal():
        raise SeatError(f"{name} is {env[name]!r}; a launcher writes a number there")
    return int(env[name])

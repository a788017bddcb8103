"""The two MPIs that the tests of other launchers start ranks with."""

import shutil
import sys
from pathlib import Path
from typing import Final

from hack import cache
from hack.environment import ROOT, uv, uv_environment
from hack.environment import steps as environment_steps
from hack.shell import Shell
from hack.steps import Bound, Step

XEON_LOCK: Final = ROOT / "trainer_image" / "xeon" / "requirements.lock"


def intel_mpi() -> Path:
    """The folder of Intel MPI's programs."""
    return cache.root() / "intel-mpi" / "bin"


def steps() -> list[Step]:
    """Open MPI from Debian, Intel MPI from the package index in a folder of the cache."""
    return [
        *environment_steps()[:1],
        Step(
            name="Open MPI",
            make=_install_open_mpi,
            present=lambda _: shutil.which("mpirun.openmpi") is not None,
            bound=Bound.NETWORK,
            mend="install Debian's openmpi-bin, as root",
        ),
        Step(
            name="Intel MPI",
            make=_install_intel_mpi,
            present=lambda _: (intel_mpi() / "mpirun").exists(),
            needs=("uv",),
            bound=Bound.NETWORK,
        ),
    ]


def pinned(lock: str, name: str) -> str:
    """One requirement of a lock with its hashes.

    Raises:
        LookupError: the lock does not have it.
    """
    for requirement in lock.replace("\\\n", " ").splitlines():
        if requirement.startswith(f"{name}=="):
            return requirement + "\n"
    raise LookupError(f"{name} is not in the lock")


def _install_open_mpi(shell: Shell) -> None:
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    apt = ("apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300")
    shell.run(*apt, "update", env=quiet)
    shell.run(*apt, "install", "--no-install-recommends", "openmpi-bin", env=quiet)


def _install_intel_mpi(shell: Shell) -> None:
    env = uv_environment()
    folder = intel_mpi().parent
    shell.run(uv(), "venv", "--clear", "--python", sys.executable, folder, env=env)
    wanted = cache.write(folder / "requirements.txt", pinned(XEON_LOCK.read_text(), "impi-rt"))
    shell.run(
        *(uv(), "pip", "install", "--python", folder / "bin" / "python"),
        *("--no-deps", "--require-hashes", "--requirement", wanted),
        env=env,
    )

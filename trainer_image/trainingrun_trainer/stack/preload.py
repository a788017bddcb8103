"""Libraries that take the place of others, loaded before anything else.

Only the loader can do that, at the start of a program: the launcher reads where its image has them,
and starts itself anew with `LD_PRELOAD` set. The loader would leave a wrong path out with a
warning; here it ends the run, by name.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from trainingrun_trainer.config import DEFAULT_ALLOCATOR, Allocator, Cpu, OpenMP
from trainingrun_trainer.errors import UserError
from trainingrun_trainer.image_manifest import ImageManifest, Library, location
from trainingrun_trainer.stack.machine import mapped_libraries

VARIABLE: Final = "LD_PRELOAD"
MARK: Final = "TRAININGRUN_PRELOADED"
"""Set to what this program was started with, by itself."""

ALLOCATOR_FIELD: Final = "spec.cpu.allocator"
OPENMP_FIELD: Final = "spec.cpu.openmp"
_ALLOCATORS: Final = {
    Allocator.TCMALLOC: Library.TCMALLOC,
    Allocator.JEMALLOC: Library.JEMALLOC,
}
_OPENMPS: Final = {OpenMP.INTEL: Library.INTEL_OPENMP, OpenMP.GNU: Library.GNU_OPENMP}
_CHOSEN_BY_FIELD: Final = (
    (re.compile("tcmalloc|jemalloc|mimalloc"), ALLOCATOR_FIELD),
    (re.compile(r"lib(iomp5|gomp|omp)\b"), OPENMP_FIELD),
)


def ensure(
    cpu: Cpu, env: Mapping[str, str], leaving: Callable[[], bool], argv: Sequence[str]
) -> None:
    """Returns where all that is wanted is loaded; else starts `argv` in place of this process.

    Raises:
        UserError: a library is not there, or was not loaded; the message names it.
    """
    if MARK in env:
        must_be_mapped(env[MARK].split(":"), mapped_libraries())
        return
    paths = wanted(cpu, env)
    if not paths:
        return
    value = ":".join(paths)
    # Blocked, a signal that comes meanwhile waits for the program that follows.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    if leaving():
        os.kill(os.getpid(), signal.SIGTERM)
    sys.stdout.flush()
    os.execve(sys.executable, list(argv), {**env, VARIABLE: value, MARK: value})  # noqa: S606


def wanted(cpu: Cpu, env: Mapping[str, str]) -> tuple[str, ...]:
    """Paths of the libraries to load first: ours, then the user's own.

    Raises:
        UserError: one is not declared by the image, is no library, or is for a field to choose.
    """
    where = str(location(env))
    ours = tuple(declared(cpu, ImageManifest.read(env), where).values())
    for path in ours:
        must_be_a_library(path, f"the image's manifest {where}")
    users = tuple(part for part in re.split("[: ]+", env.get(VARIABLE, "")) if part)
    for path in users:
        _must_be_the_users(path)
    return (*ours, *(path for path in users if path not in ours))


def declared(cpu: Cpu, manifest: ImageManifest | None, where: str) -> dict[Library, str]:
    """The libraries that are wanted, as the image declares them. `auto` wants what there is.

    Raises:
        UserError: one that was asked for is not declared.
    """
    known = manifest.libraries if manifest is not None else {}
    found = {}
    allocator = cpu.allocator
    if allocator is Allocator.AUTO:
        allocator = DEFAULT_ALLOCATOR if _ALLOCATORS[DEFAULT_ALLOCATOR] in known else allocator
    for field, library in (
        (ALLOCATOR_FIELD, _ALLOCATORS.get(allocator)),
        (OPENMP_FIELD, _OPENMPS.get(cpu.openmp)),
    ):
        if library is None:
            continue
        if library not in known:
            there = f"declares {', '.join(sorted(known)) or 'none'}" if manifest else "is not there"
            raise UserError(
                f"this image has no {library}: its manifest {where} {there}; write auto, or use an "
                "image that has it",
                field,
            )
        found[library] = known[library]
    return found


def must_be_a_library(path: str, who: str) -> None:
    """Returns if the loader of this program can load a file.

    Raises:
        UserError: it cannot, and why.
    """
    try:
        with Path(path).open("rb") as file, Path(sys.executable).open("rb") as ours:
            head, own = file.read(20), ours.read(20)
    except OSError as error:
        raise UserError(
            f"{path}, which {who} names, cannot be preloaded: {error.strerror}; build the image "
            "anew, or correct the path"
        ) from error
    # Magic, class and byte order, and the processor: https://refspecs.linuxfoundation.org/elf/
    if (head[:6], head[18:20]) != (own[:6], own[18:20]):
        raise UserError(
            f"{path}, which {who} names, cannot be preloaded: it is no library for this processor; "
            "build the image anew, or correct the path"
        )


def must_be_mapped(paths: Sequence[str], mapped: frozenset[str]) -> None:
    """Returns if the loader has loaded all of them.

    Raises:
        UserError: it has not; names the first.
    """
    for path in paths:
        name = Path(path).name
        if os.path.realpath(path) not in mapped and not any(m.endswith(f"/{name}") for m in mapped):
            raise UserError(
                f"{path} was to be preloaded and is not in this process: the loader has refused "
                "it, its own message is in the log above"
            )


def _must_be_the_users(path: str) -> None:
    name = Path(path).name
    for pattern, field in _CHOSEN_BY_FIELD:
        if pattern.search(name):
            raise UserError(
                f"LD_PRELOAD names {path}; remove it from the environment and write {field}, which "
                "finds the library in the image",
                field,
            )
    if path.startswith("/"):
        must_be_a_library(path, "LD_PRELOAD of the environment")

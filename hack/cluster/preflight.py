"""Everything that is missing, said at once and before any work starts."""

import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hack import cache
from hack.cluster import binaries, engine, source
from hack.cluster.golang import Missing
from hack.cluster.source import Source

__all__ = ["Facts", "Missing", "missing", "observe", "require"]

# Measured: 12 GB of build cache and images, 6 GB for each copy of the trainer's torch layers.
FREE_GIB_TO_BUILD: Final = 30
# The newest that a module of versions.py asks for (helm, the training operator).
GO_MINOR: Final = 26


@dataclass(frozen=True)
class Facts:
    """What preflight looks at."""

    system: str
    machine: str
    debian: bool
    root: bool
    engine: bool
    go: bool
    free_gib: float
    source: Source
    tools_missing: tuple[str, ...]
    built: bool


def missing(facts: Facts) -> list[str]:
    """One clause for each thing that is missing, each with its mend."""
    found = []
    building = facts.source is Source.BUILD
    if facts.system != "Linux" and building:
        found.append(
            f"{facts.system} can only use pulled images: make the public image registries"
            " reachable, or use a Linux machine"
        )
    elif facts.machine not in {"x86_64", "AMD64"} and building:
        found.append(f"no images are built for {facts.machine}: use an x86-64 machine")
    if not facts.engine:
        if facts.system != "Linux" or not facts.debian:
            found.append("no Docker engine answers: install and start Docker")
        elif not facts.root:
            found.append(
                "no Docker engine answers: start Docker (is this user in the group docker?),"
                " or run as root to have Debian's installed"
            )
    if not facts.go and not facts.built:
        if building:
            found.append(f"Go 1.{GO_MINOR} or newer is not on the PATH: install it")
        elif facts.tools_missing:
            names = " and ".join(facts.tools_missing)
            found.append(f"{names} not on the PATH, nor Go to build it: install either")
    if building and not facts.built and facts.free_gib < FREE_GIB_TO_BUILD:
        found.append(
            f"{facts.free_gib:.0f} GiB free under {cache.root()}, a build needs"
            f" {FREE_GIB_TO_BUILD}: free some or point TRAININGRUN_CACHE elsewhere"
        )
    return found


def require() -> None:
    """Refuse to start on a machine that cannot finish.

    Raises:
        Missing: one line with everything that is missing.
    """
    if found := missing(observe()):
        raise Missing(f"cannot start: {'; '.join(found)}")


def observe() -> Facts:
    """The facts of this machine."""
    chosen = source.chosen()
    tools = ("kind", "helm")
    return Facts(
        system=platform.system(),
        machine=platform.machine(),
        debian=shutil.which("apt-get") is not None,
        root=hasattr(os, "geteuid") and os.geteuid() == 0,
        engine=engine.answers(),
        go=shutil.which("go") is not None,
        free_gib=shutil.disk_usage(_existing(cache.root())).free / 2**30,
        source=chosen,
        tools_missing=tuple(tool for tool in tools if binaries.on_path(tool) is None),
        built=all(module.built() for module in binaries.needed(chosen)),
    )


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)

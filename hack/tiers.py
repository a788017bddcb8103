"""The checks of the project, tier by tier, from the quickest to the cluster."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from hack import cache, cluster, environment, images, launchers, locks, xeon
from hack.cluster import binaries
from hack.environment import ROOT
from hack.steps import Step, printer, run


@dataclass(frozen=True)
class Tier:
    """Commands that must all succeed, and the steps that make what they need."""

    name: str
    commands: tuple[tuple[str, ...], ...]
    needs: Callable[[], Sequence[Step]] = tuple


def _tool(name: str, *words: str) -> tuple[str, ...]:
    return (str(environment.VENV / "bin" / name), *words)


def _pytest(folder: str, *words: str) -> tuple[str, ...]:
    return _tool("pytest", f"tests/{folder}", "--durations=5", *words)


def _programs() -> Sequence[Step]:
    return binaries.steps_alone("etcd", "kube-apiserver", "kubectl", "helm")


def _everything() -> Sequence[Step]:
    return [*cluster.steps(), *images.steps()]


LINT: Final = Tier(
    "lint",
    (
        _tool("ruff", "check"),
        _tool("ruff", "format", "--check"),
        _tool("mypy"),
        _tool("lint-imports"),
    ),
)
VERIFY: Final = Tier("verify", (_tool("python", "-m", "hack.generate", "--check"),))
UNIT: Final = Tier("test-unit", (_pytest("unit"),))
RANKS: Final = Tier("test-ranks", (_pytest("ranks"),))
LONG: Final = Tier("test-long", (_pytest("long", "-s"),))
API: Final = Tier("test-api", (_pytest("api"),), _programs)
FAULTS: Final = Tier("test-faults", (_pytest("faults"),), _programs)
FAULTS_LONG: Final = Tier(
    "test-faults-long", (_pytest("faults", "--full-length", "--write-failure-modes"),), _programs
)
CHART: Final = Tier("test-chart", (_pytest("chart"),), _programs)
CLUSTER: Final = Tier("test-cluster", (_pytest("cluster"),), _everything)
LAUNCHERS: Final = Tier("test-launchers", (_pytest("launchers"),), launchers.steps)
XEON: Final = Tier("test-xeon", (_pytest("xeon", "-s"),), xeon.steps)

ALL: Final = (LINT, VERIFY, UNIT, RANKS, CLUSTER, API, FAULTS, CHART)


class TierFailedError(Exception):
    """A command of a tier failed; what it printed stands above."""


def check(*tiers: Tier) -> None:
    """Run tiers in order and print how long each took.

    Raises:
        TierFailedError: at the first command that fails.
        StepFailed: something a tier needs could not be made.
    """
    say, took = printer(), []
    run(environment.steps(), cache.folder("logs", "environment"), say)
    for tier in tiers:
        began = time.monotonic()
        if needs := tier.needs():
            run(needs, cache.folder("logs", tier.name), say)
        if tier is VERIFY:
            locks.check()
        for argv in tier.commands:
            say(f"{tier.name}: {' '.join(argv).replace(str(ROOT) + os.sep, '')}")
            if subprocess.run(argv, cwd=ROOT, check=False).returncode != 0:
                raise TierFailedError(f"{tier.name} failed: its output is above")
        took.append((tier.name, time.monotonic() - began))
    print("\n".join(f"{name:<14}{seconds:7.1f} s" for name, seconds in took), file=sys.stderr)

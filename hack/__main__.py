"""The verbs of the Makefile: `python3 -m hack VERB`."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Final

from hack import bench, cache, cluster, demo, environment, images, local, locks, tiers
from hack.cluster.preflight import Missing
from hack.steps import StepFailed, run


def _images() -> None:
    run([*cluster.steps(), *images.steps()], cache.folder("logs", "images"))


def _local() -> int:
    run(environment.steps(), cache.folder("logs", "environment"))
    return local.main()


def _format() -> None:
    run(environment.steps(), cache.folder("logs", "environment"))
    bin_ = environment.VENV / "bin"
    for argv in (
        (bin_ / "ruff", "check", "--fix"),
        (bin_ / "ruff", "format"),
        (bin_ / "python", "-m", "hack.generate"),
    ):
        subprocess.run(argv, cwd=environment.ROOT, check=True)


def _screenshots() -> int:
    run(environment.steps(), cache.folder("logs", "environment"))
    # In the virtual environment's Python: this one may lack what draws.
    command = (environment.python(), "-m", "hack.screenshots")
    return subprocess.run(command, cwd=environment.ROOT, check=False).returncode


def _lock() -> None:
    run(environment.steps()[:1], cache.folder("logs", "environment"))
    locks.write(upgrade=True)


VERBS: Final[Mapping[str, Callable[[], int | None]]] = {
    "demo": demo.main,
    "local": _local,
    "test": lambda: tiers.check(*tiers.ALL),
    "test-unit": lambda: tiers.check(tiers.UNIT),
    "test-ranks": lambda: tiers.check(tiers.RANKS),
    "test-long": lambda: tiers.check(tiers.LONG),
    "test-api": lambda: tiers.check(tiers.API),
    "test-faults": lambda: tiers.check(tiers.FAULTS),
    "test-faults-long": lambda: tiers.check(tiers.FAULTS_LONG),
    "test-chart": lambda: tiers.check(tiers.CHART),
    "test-cluster": lambda: tiers.check(tiers.CLUSTER),
    "test-launchers": lambda: tiers.check(tiers.LAUNCHERS),
    "test-xeon": lambda: tiers.check(tiers.XEON),
    "lint": lambda: tiers.check(tiers.LINT),
    "verify": lambda: tiers.check(tiers.VERIFY),
    "fmt": _format,
    "cluster": cluster.up,
    "cluster-down": cluster.down,
    "images": _images,
    "bench": bench.main,
    "lock": _lock,
    "screenshots": _screenshots,
}


def main(arguments: list[str]) -> int:
    """Run one verb; its failure is one readable message and exit status 1."""
    if len(arguments) != 1 or arguments[0] not in VERBS:
        print(f"usage: python3 -m hack {{{'|'.join(VERBS)}}}", file=sys.stderr)
        return 2
    try:
        return VERBS[arguments[0]]() or 0
    except (StepFailed, Missing, tiers.TierFailedError, locks.LockOutdatedError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        return error.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

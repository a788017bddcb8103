"""`make bench`: the programs in bench/, one after the other."""

import subprocess
from typing import Final

from hack import cache, environment
from hack.steps import run

PROGRAMS: Final = ("bench.recovery", "bench.kills", "bench.cpu_plan", "bench.allocators")


def main() -> int:
    """Run every program; the exit status is the first one that is not zero."""
    run(environment.steps(), cache.folder("logs", "environment"))
    for program in PROGRAMS:
        argv = [str(environment.python()), "-m", program]
        if status := subprocess.run(argv, cwd=environment.ROOT, check=False).returncode:
            return status
    return 0

"""`kubectl trainingrun`: finds the verb, runs it, and turns its errors into an exit status."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final

from kubectl_trainingrun.cluster import ClusterError
from kubectl_trainingrun.exits import Exit, RefusedError
from kubectl_trainingrun.verbs import (
    checkpoints,
    doctor,
    init,
    listing,
    logs,
    plot,
    render,
    retry,
    run,
    scale,
    status,
    submit,
    suspend,
    ui,
    validate,
    watch,
)

VERBS: Final = (
    init,
    validate,
    render,
    run,
    submit,
    listing,
    status,
    watch,
    logs,
    plot,
    checkpoints,
    doctor,
    suspend,
    retry,
    scale,
    ui,
)
EXITS: Final = (
    "exit status: 0 done; 1 what was asked for is wrong or cannot be, or doctor found trouble; "
    "2 the command line is wrong; 3 the cluster or kubectl did not do it"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit status."""
    options = parser().parse_args(arguments)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except RefusedError as error:
        print(error, file=sys.stderr)
        return Exit.REFUSED
    except ClusterError as error:
        print(error, file=sys.stderr)
        return Exit.CLUSTER
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader, `head` say, has seen enough; the interpreter must not flush into it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.REFUSED
    return code


def parser() -> argparse.ArgumentParser:
    """The parser with all verbs."""
    parser = argparse.ArgumentParser(
        prog="kubectl trainingrun",
        description="Write, start, follow and explain TrainingRuns.",
        epilog=EXITS,
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for module in VERBS:
        module.add(verbs)
    return parser

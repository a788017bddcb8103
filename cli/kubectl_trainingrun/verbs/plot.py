"""`plot`: the course of one run, or of several compared, also after their end."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from kubectl_trainingrun import options as given
from kubectl_trainingrun.exits import Exit, RefusedError
from kubectl_trainingrun.options import Verbs, add_cluster, verb
from kubectl_trainingrun.plot import terminal
from kubectl_trainingrun.plot.course import course


def add(verbs: Verbs) -> None:
    parser = verb(verbs, "plot", _run, "draw loss, throughput and ranks over the steps of runs")
    parser.add_argument("names", nargs="+", metavar="NAME", help="the TrainingRuns' names")
    add_cluster(parser)
    parser.add_argument(
        "-o", "--output", choices=("terminal", "png", "svg"), default="terminal", help="how"
    )
    parser.add_argument("--file", type=Path, help="the file to write (default: NAME.png or .svg)")


def _run(options: argparse.Namespace) -> int:
    cluster = given.cluster(options)
    courses = [course(cluster, name) for name in options.names]
    if options.output == "terminal":
        print(terminal.drawing(courses, shutil.get_terminal_size().columns), end="")
        return Exit.DONE
    # Not above: matplotlib takes half a second to import, and no other verb needs it.
    from kubectl_trainingrun.plot import picture  # noqa: PLC0415

    file = (options.file or Path("-".join(options.names))).with_suffix(f".{options.output}")
    try:
        picture.save(courses, file)
    except OSError as error:
        raise RefusedError(f"{file} cannot be written: {error.strerror}") from error
    print(f"{file} is written")
    return Exit.DONE

"""`status`: where one run stands, and why."""

from __future__ import annotations

import argparse

from kubectl_trainingrun import options as given
from kubectl_trainingrun.cluster import RUNS
from kubectl_trainingrun.exits import Exit
from kubectl_trainingrun.options import Verbs, add_output, add_run, verb
from kubectl_trainingrun.page import page
from kubectl_trainingrun.text import data


def add(verbs: Verbs) -> None:
    parser = verb(verbs, "status", _run, "show where a run stands, and why")
    add_run(parser)
    add_output(parser)


def _run(options: argparse.Namespace) -> int:
    run = given.cluster(options).get(RUNS, options.name)
    print(data(run.get("status", {}), options.output) if options.output else page(run), end="")
    return Exit.DONE

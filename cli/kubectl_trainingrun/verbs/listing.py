"""`list`: all runs of a namespace, or of all."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from kubectl_trainingrun import options as given
from kubectl_trainingrun.cluster import RUNS
from kubectl_trainingrun.exits import Exit
from kubectl_trainingrun.options import Verbs, add_cluster, add_output, verb
from kubectl_trainingrun.run_view import RunView
from kubectl_trainingrun.text import aligned, data


def add(verbs: Verbs) -> None:
    parser = verb(verbs, "list", _run, "list runs, the newest first")
    add_cluster(parser)
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="of all namespaces")
    add_output(parser)


def _run(options: argparse.Namespace) -> int:
    found = given.cluster(options).select(RUNS, everywhere=options.all_namespaces)
    if options.output:
        print(data(found, options.output), end="")
        return Exit.DONE
    runs = sorted(map(RunView.of, found), key=lambda run: run.created, reverse=True)
    if not runs:
        print("there are no runs")
        return Exit.DONE
    now = datetime.now(UTC)
    head = ("NAME", "PHASE", "STEP", "LOSS", "ETA", "WORKERS", "RESTARTS", "CHECKPOINT", "AGE")
    rows = [head, *(run.cells(now) for run in runs)]
    if options.all_namespaces:
        names = ["NAMESPACE", *(run.namespace for run in runs)]
        rows = [(name, *row) for name, row in zip(names, rows, strict=True)]
    print("\n".join(aligned(rows)))
    return Exit.DONE

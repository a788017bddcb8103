"""`scale`: another number of workers, of an elastic run while it trains."""

from __future__ import annotations

import argparse

from kubectl_trainingrun import options as given
from kubectl_trainingrun.cluster import RUNS
from kubectl_trainingrun.exits import Exit, RefusedError
from kubectl_trainingrun.options import Verbs, add_run, verb
from kubectl_trainingrun.run_view import RunView


def add(verbs: Verbs) -> None:
    parser = verb(verbs, "scale", _run, "change the number of workers of a run")
    add_run(parser)
    parser.add_argument("--workers", type=int, required=True, metavar="N", help="how many")


def _run(options: argparse.Namespace) -> int:
    cluster = given.cluster(options)
    run = RunView.of(cluster.get(RUNS, options.name))
    if run.over:
        raise RefusedError(f"{run.name} is over: {run.phase}")
    workers = run.spec.get("workers") or {}
    if (elastic := workers.get("elastic")) is not None:
        least, most = elastic.get("min", 1), elastic.get("max", 1)
        if not least <= options.workers <= most:
            raise RefusedError(
                f"{options.workers} workers are not within spec.workers.elastic, {least} to {most}"
            )
    cluster.patch(RUNS, run.name, {"spec": {"workers": {"count": options.workers}}})
    how = "while it trains" if elastic is not None else "with pods that are made anew"
    print(f"{run.name} is asked to go on with {options.workers} worker(s), {how}")
    return Exit.DONE

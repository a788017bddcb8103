"""`submit`: check files, then make their runs; nothing is made if anything is wrong."""

from __future__ import annotations

import argparse

from kubectl_trainingrun import options as given
from kubectl_trainingrun.exits import Exit
from kubectl_trainingrun.files import Reader
from kubectl_trainingrun.options import Verbs, add_cluster, add_files, verb
from kubectl_trainingrun.verbs.watch import follow


def add(verbs: Verbs) -> None:
    parser = verb(verbs, "submit", _run, "check files and start their runs")
    add_files(parser)
    add_cluster(parser)
    parser.add_argument("--watch", action="store_true", help="then watch the last run to its end")


def _run(options: argparse.Namespace) -> int:
    reader = Reader(options.filename)
    runs = [document.manifest for document, _ in reader.plans()]
    if reader.found:
        return Exit.REFUSED
    cluster = given.cluster(options)
    for run in runs:
        metadata = cluster.create(run)["metadata"]
        print(f"{metadata['name']} in {metadata['namespace']} is submitted")
    return follow(cluster, runs[-1]["metadata"]["name"]) if options.watch else Exit.DONE

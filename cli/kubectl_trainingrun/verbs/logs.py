"""`logs`: what the workers print, of pods that have ended too."""

from __future__ import annotations

import argparse

from kubectl_trainingrun import options as given
from kubectl_trainingrun.kubectl import become
from kubectl_trainingrun.options import Verbs, add_run, verb


def add(verbs: Verbs) -> None:
    parser = verb(verbs, "logs", _run, "print the training log of a run")
    add_run(parser)
    parser.add_argument("-f", "--follow", action="store_true", help="go on as it grows")
    parser.add_argument("--all-ranks", action="store_true", help="of every worker, with its name")


def _run(options: argparse.Namespace) -> int:
    command = given.kubectl(options).logs_command(
        options.name, follow=options.follow, all_workers=options.all_ranks
    )
    return become(command)

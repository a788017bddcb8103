"""`render`: what the operator would make."""

from __future__ import annotations

import argparse

from kubectl_trainingrun.exits import Exit
from kubectl_trainingrun.files import Reader
from kubectl_trainingrun.manifest_text import manifest_text
from kubectl_trainingrun.options import (
    DEFAULT_TRAINER_IMAGE,
    DEFAULT_XEON_IMAGE,
    Verbs,
    add_files,
    verb,
)
from trainingrun_operator.render import claims, render


def add(verbs: Verbs) -> None:
    parser = verb(verbs, "render", _run, "print what the operator would make, without a cluster")
    add_files(parser)
    parser.add_argument("-n", "--namespace", help="for runs that name none (default: default)")
    parser.add_argument(
        "--trainer-image",
        help=f"image for runs that name none (default: {DEFAULT_TRAINER_IMAGE}, or "
        f"{DEFAULT_XEON_IMAGE} for runtime xeon)",
    )


def _run(options: argparse.Namespace) -> int:
    reader = Reader(options.filename, options.trainer_image)
    for _, plan in reader.plans(options.namespace):
        for manifest in (*claims(plan), *render(plan)):
            print(manifest_text(manifest), end="")
    return Exit.REFUSED if reader.found else Exit.DONE

"""`validate`: what is wrong with files."""

from __future__ import annotations

import argparse

from kubectl_trainingrun.exits import Exit
from kubectl_trainingrun.files import Reader
from kubectl_trainingrun.options import Verbs, add_files, verb


def add(verbs: Verbs) -> None:
    add_files(verb(verbs, "validate", _run, "say what is wrong with files, without a cluster"))


def _run(options: argparse.Namespace) -> int:
    reader = Reader(options.filename)
    for _ in reader.plans():
        pass
    return Exit.REFUSED if reader.found else Exit.DONE

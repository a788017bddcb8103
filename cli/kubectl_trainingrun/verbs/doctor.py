"""`doctor`: what keeps a run from getting on, and what to do."""

from __future__ import annotations

import argparse
import dataclasses
from datetime import UTC, datetime

from kubectl_trainingrun import options as given
from kubectl_trainingrun.doctor.diagnosis import diagnosis
from kubectl_trainingrun.doctor.gather import snapshot
from kubectl_trainingrun.exits import Exit
from kubectl_trainingrun.options import Verbs, add_output, add_run, verb
from kubectl_trainingrun.text import data


def add(verbs: Verbs) -> None:
    parser = verb(verbs, "doctor", _run, "say what keeps a run from getting on, and what to do")
    add_run(parser)
    add_output(parser)


def _run(options: argparse.Namespace) -> int:
    seen = snapshot(given.cluster(options), options.name, datetime.now(UTC))
    troubles = diagnosis(seen)
    if options.output:
        print(data([dataclasses.asdict(trouble) for trouble in troubles], options.output), end="")
    elif not troubles:
        message = f": {seen.run.status.message}" if seen.run.status.message else ""
        print(f"nothing is in the way of {options.name}; it is {seen.run.phase}{message}")
    for number, trouble in enumerate(() if options.output else troubles, 1):
        print(f"{number}. {trouble.name}: {trouble.what}\n   do: {trouble.mend}")
    return Exit.REFUSED if troubles else Exit.DONE

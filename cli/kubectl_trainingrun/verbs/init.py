"""`init`: a commented TrainingRun to begin with."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from kubectl_trainingrun import check
from kubectl_trainingrun.documents import Document, parsed
from kubectl_trainingrun.exits import Exit, RefusedError
from kubectl_trainingrun.options import DEFAULT_TRAINER_IMAGE, Verbs, verb
from trainingrun_operator.plan import Settings
from trainingrun_trainer.config.task import TaskType


def add(verbs: Verbs) -> None:
    parser = verb(verbs, "init", _run, "write a commented TrainingRun to begin with")
    parser.add_argument("name", help="the TrainingRun's name")
    # A script has fields of its own instead of a model and data.
    tasks = [task.value for task in TaskType if task is not TaskType.SCRIPT]
    parser.add_argument("--task", choices=tasks, default=tasks[0], help="(default: %(default)s)")
    parser.add_argument("--model", required=True, help="a hub id, or a folder on the claim")
    parser.add_argument("--train", required=True, help="what to train on")
    parser.add_argument("--evaluation", default="", help="what to hold out")
    parser.add_argument("--batch", type=int, default=32, help="samples for each step (32)")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--epochs", type=float, default=1, help="passes over the data (1)")
    length.add_argument("--steps", type=int, default=0, help="optimiser steps instead")
    parser.add_argument("--learning-rate", type=float, default=5e-5, help="(5e-5)")
    parser.add_argument("--workers", type=int, default=1, help="pods (1)")
    parser.add_argument("--cpu", default="4", help="CPUs for each worker (4)")
    parser.add_argument("--memory", default="8Gi", help="memory for each worker (8Gi)")
    parser.add_argument("--claim", default="", help="the PersistentVolumeClaim to save on")
    parser.add_argument("--every", type=int, default=100, help="steps between checkpoints (100)")
    parser.add_argument("-o", "--output", type=Path, help="the file to write (default: stdout)")


def _run(options: argparse.Namespace) -> int:
    text = manifest(vars(options))
    if options.output is None:
        sys.stdout.write(text)
        return Exit.DONE
    try:
        with options.output.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise RefusedError(f"{options.output} cannot be written: {error.strerror}") from error
    print(f"{options.output} is written; look it over, then: kubectl trainingrun submit -f it")
    return Exit.DONE


def manifest(values: dict[str, object]) -> str:
    """The commented YAML of a run that is valid.

    Raises:
        RefusedError: no valid run can be made of these values.
    """
    templates = Environment(
        loader=PackageLoader("kubectl_trainingrun"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - YAML; every value ends in tojson
        keep_trailing_newline=True,
    )
    text = templates.get_template("run.yaml.j2").render(values)
    try:
        check.plan(Document("-", 1, *parsed(text)), Settings(image_cpu=DEFAULT_TRAINER_IMAGE))
    except check.InvalidError as error:
        raise RefusedError("\n".join(map(str, error.problems))) from error
    return text

"""`kubectl trainingrun`: exit status 0, 1 with every problem on a line of its own, 2 for usage."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence

from kubectl_trainingrun import check, cluster
from kubectl_trainingrun.documents import Document, UnreadableError, documents
from kubectl_trainingrun.manifest_text import manifest_text
from kubectl_trainingrun.page import page
from kubectl_trainingrun.retry import CannotRetryError, next_attempt
from trainingrun_operator.api.problems import Problem
from trainingrun_operator.plan import Settings
from trainingrun_operator.render import claims, render

DEFAULT_TRAINER_IMAGE = "trainingrun/trainer:0.1.0"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except (cluster.KubectlError, CannotRetryError) as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader, `head` say, has seen enough; the interpreter must not flush into it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kubectl trainingrun", description="Check, show and follow TrainingRuns."
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    validate = verbs.add_parser("validate", help="say what is wrong with files, without a cluster")
    _add_files(validate)
    validate.set_defaults(run=_validate)

    show = verbs.add_parser("render", help="print what the operator would make, without a cluster")
    _add_files(show)
    show.add_argument("-n", "--namespace", help="for runs that name none (default: default)")
    show.add_argument(
        "--trainer-image",
        default=DEFAULT_TRAINER_IMAGE,
        help="image for runs that name none (default: %(default)s)",
    )
    show.set_defaults(run=_render)

    logs = verbs.add_parser("logs", help="print the training log of a run")
    _add_run(logs)
    logs.add_argument("-f", "--follow", action="store_true", help="go on as it grows")
    logs.add_argument("--all-ranks", action="store_true", help="of every worker, with its name")
    logs.set_defaults(run=_logs)

    status = verbs.add_parser("status", help="show where a run stands, and why")
    _add_run(status)
    status.set_defaults(run=_status)

    retry = verbs.add_parser("retry", help="let a run that failed go on from its last checkpoint")
    _add_run(retry)
    retry.set_defaults(run=_retry)
    return parser


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        *("-f", "--filename"),
        nargs="+",
        required=True,
        action="extend",
        metavar="FILE",
        help="YAML files, - for stdin; documents that are no TrainingRun are passed over",
    )


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="the TrainingRun's name")
    parser.add_argument("-n", "--namespace", help="its namespace")
    parser.add_argument("--context", help="the kubeconfig context")


def _validate(options: argparse.Namespace) -> int:
    found = 0
    settings = Settings(image_cpu=DEFAULT_TRAINER_IMAGE)
    for document in _training_runs(options.filename):
        if isinstance(document, Problem):
            found += _report([document])
            continue
        try:
            check.plan(document, settings)
        except check.InvalidError as error:
            found += _report(error.problems, document)
    return int(found > 0)


def _render(options: argparse.Namespace) -> int:
    found = 0
    settings = Settings(image_cpu=options.trainer_image)
    for document in _training_runs(options.filename):
        if isinstance(document, Problem):
            found += _report([document])
            continue
        try:
            plan = check.plan(document, settings, options.namespace)
        except check.InvalidError as error:
            found += _report(error.problems, document)
            continue
        for manifest in (*claims(plan), *render(plan)):
            print(manifest_text(manifest), end="")
    return int(found > 0)


def _logs(options: argparse.Namespace) -> int:
    command = cluster.logs_command(
        options.name, _where(options), follow=options.follow, all_workers=options.all_ranks
    )
    return cluster.show_logs(command)


def _status(options: argparse.Namespace) -> int:
    print(page(cluster.fetch(options.name, _where(options))), end="")
    return 0


def _retry(options: argparse.Namespace) -> int:
    where = _where(options)
    attempt = next_attempt(cluster.fetch(options.name, where))
    cluster.ask_for_attempt(options.name, attempt, where)
    print(f"retry {attempt} of {options.name} is asked for")
    return 0


def _where(options: argparse.Namespace) -> list[str]:
    """kubectl's own options; joined by =, so that no value is taken for another option."""
    given = (("--namespace", options.namespace), ("--context", options.context))
    return [f"{name}={value}" for name, value in given if value]


def _training_runs(files: Sequence[str]) -> Iterator[Document | Problem]:
    for file in files:
        runs = 0
        try:
            for document in documents(file):
                if document.is_training_run:
                    runs += 1
                    yield document
        except UnreadableError as error:
            yield error.problem
        else:
            if not runs:
                yield Problem(file, "holds no TrainingRun; write kind: TrainingRun")


def _report(problems: Sequence[Problem], document: Document | None = None) -> int:
    """One line a problem on stdout; where it stands on stderr, so that lines stay plain."""
    if document is not None:
        print(f"in {document.file}, document {document.number}:", file=sys.stderr)
    for problem in problems:
        print(problem)
    return len(problems)

"""Options that several verbs have."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Final, TypeAlias

from kubectl_trainingrun.cluster import Cluster
from kubectl_trainingrun.kubectl import Kubectl

Verb = Callable[[argparse.Namespace], int]
Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

DEFAULT_TRAINER_IMAGE: Final = "trainingrun/trainer:0.1.0"
DEFAULT_XEON_IMAGE: Final = "trainingrun/trainer-xeon:0.1.0"
"""Whether an operator has one is known to it alone."""


def verb(verbs: Verbs, name: str, run: Verb, text: str) -> argparse.ArgumentParser:
    """A verb with its help; `run` is called with the parsed options."""
    parser = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    parser.set_defaults(run=run)
    return parser


def add_files(parser: argparse.ArgumentParser) -> None:
    """The YAML files to read."""
    parser.add_argument(
        *("-f", "--filename"),
        nargs="+",
        required=True,
        action="extend",
        metavar="FILE",
        help="YAML files, - for stdin; documents that are no TrainingRun are passed over",
    )


def add_cluster(parser: argparse.ArgumentParser) -> None:
    """Which cluster and namespace, by kubectl's names."""
    parser.add_argument("-n", "--namespace", default="", help="the namespace")
    parser.add_argument("--context", default="", help="the kubeconfig context")
    parser.add_argument("--kubeconfig", default="", metavar="FILE", help="the kubeconfig file")


def add_run(parser: argparse.ArgumentParser) -> None:
    """The run to look at, and where it is."""
    parser.add_argument("name", help="the TrainingRun's name")
    add_cluster(parser)


def add_output(parser: argparse.ArgumentParser) -> None:
    """Whether to print data instead of a page."""
    parser.add_argument("-o", "--output", choices=("json", "yaml"), help="print data")


def kubectl(options: argparse.Namespace) -> Kubectl:
    """kubectl with the options given."""
    return Kubectl(options.namespace, options.context, options.kubeconfig)


def cluster(options: argparse.Namespace) -> Cluster:
    """The cluster that the options choose."""
    return kubectl(options)

"""`kubectl_complete-trainingrun`: what kubectl's own shell completion asks for plugin words.

kubectl runs it with the words after the plugin's name, the last one unfinished, and reads a
candidate a line, then a line with a colon and a directive of cobra's.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import Final

from kubectl_trainingrun.cluster import RUNS, ClusterError
from kubectl_trainingrun.kubectl import Kubectl
from kubectl_trainingrun.main import parser

FILES_TOO: Final = 0
NO_FILES: Final = 4
"""Cobra's ShellCompDirectiveDefault and ShellCompDirectiveNoFileComp."""


def main() -> int:
    """Answer kubectl; never fails, since its answer stands in the user's prompt."""
    words = sys.argv[1:] or [""]
    found, directive = candidates(words, parser())
    if found is None:
        found = _names(words)
    print("\n".join([*(c for c in found if c.startswith(words[-1])), f":{directive}"]))
    return 0


def candidates(words: Sequence[str], root: argparse.ArgumentParser) -> tuple[list[str] | None, int]:
    """What may stand for the last word, None for the name of a run; and cobra's directive."""
    *before, last = words
    verbs = _subparsers(root)
    if not before:
        return list(verbs), NO_FILES
    verb = verbs.get(before[0])
    if verb is None:
        return [], NO_FILES
    options = {name: action for action in verb._actions for name in action.option_strings}
    if last.startswith("-"):
        return [name for name in options if name.startswith("--")], NO_FILES
    taking = options.get(before[-1])
    if taking is not None and taking.nargs != 0:
        return list(map(str, taking.choices or ())), NO_FILES if taking.choices else FILES_TOO
    positional = {action.dest for action in verb._actions if not action.option_strings}
    if positional & {"name", "names"} and before[0] != "init":
        return None, NO_FILES
    return [], NO_FILES


def _subparsers(root: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    return next(dict(a.choices) for a in root._actions if isinstance(a, argparse._SubParsersAction))


def _names(words: Sequence[str]) -> list[str]:
    return list(_names_in(Kubectl(*_where(words))))


def _where(words: Sequence[str]) -> tuple[str, str, str]:
    reader = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    reader.add_argument("-n", "--namespace", default="")
    reader.add_argument("--context", default="")
    reader.add_argument("--kubeconfig", default="")
    try:
        given, _ = reader.parse_known_args(list(words[:-1]))
    except argparse.ArgumentError:
        return "", "", ""
    return given.namespace, given.context, given.kubeconfig


def _names_in(kubectl: Kubectl) -> Iterator[str]:
    try:
        for run in kubectl.select(RUNS):
            yield run["metadata"]["name"]
    except ClusterError:
        return

"""`suspend` and `resume`: pods go after a checkpoint, and come back."""

from __future__ import annotations

import argparse
from functools import partial

from kubectl_trainingrun import options as given
from kubectl_trainingrun.cluster import RUNS
from kubectl_trainingrun.exits import Exit, RefusedError
from kubectl_trainingrun.options import Verbs, add_run, verb
from kubectl_trainingrun.run_view import RunView


def add(verbs: Verbs) -> None:
    add_run(verb(verbs, "suspend", partial(_run, wanted=True), "stop a run after a checkpoint"))
    add_run(verb(verbs, "resume", partial(_run, wanted=False), "let a suspended run go on"))


def _run(options: argparse.Namespace, *, wanted: bool) -> int:
    cluster = given.cluster(options)
    run = RunView.of(cluster.get(RUNS, options.name))
    if run.over:
        raise RefusedError(f"{run.name} is over: {run.phase}")
    is_so = (run.spec.get("policy") or {}).get("suspend", False) is wanted
    if not is_so:
        cluster.patch(RUNS, run.name, {"spec": {"policy": {"suspend": wanted}}})
    wish = "stop after a checkpoint" if wanted else "go on"
    print(f"{run.name} was asked to {wish} before" if is_so else f"{run.name} is asked to {wish}")
    return Exit.DONE

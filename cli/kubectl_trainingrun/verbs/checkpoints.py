"""`checkpoints`: what a run has saved."""

from __future__ import annotations

import argparse

from kubectl_trainingrun import options as given
from kubectl_trainingrun.cluster import RUNS
from kubectl_trainingrun.exits import Exit
from kubectl_trainingrun.options import Verbs, add_output, add_run, verb
from kubectl_trainingrun.run_view import RunView
from kubectl_trainingrun.text import aligned, data


def add(verbs: Verbs) -> None:
    parser = verb(verbs, "checkpoints", _run, "list the checkpoints of a run, the newest last")
    add_run(parser)
    add_output(parser)


def _run(options: argparse.Namespace) -> int:
    run = RunView.of(given.cluster(options).get(RUNS, options.name))
    records = run.status.checkpoints.recent
    if options.output:
        plain = [record.model_dump(mode="json", by_alias=True) for record in records]
        print(data(plain, options.output), end="")
    elif not records:
        print(f"{run.name} has no checkpoint yet")
    else:
        rows = [("STEP", "SIZE", "WORLD SIZE", "STATE", "FOLDER")]
        for record in records:
            state = "verified" if record.verified else f"set aside: {record.problem or 'damaged'}"
            size = f"{record.size_bytes / 1e6:.1f} MB"
            rows.append((str(record.step), size, str(record.world_size), state, record.path))
        print("\n".join(aligned(rows)))
    return Exit.DONE

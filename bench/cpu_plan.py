"""What the launch plan is worth to a pod with one CPU on a node with more.

`python -m bench.cpu_plan [--repeats N]`: one rank under torchrun in a pod that is limited to 1 CPU,
as torchrun starts it (with as many threads as the node has CPUs) and with what the plan sets. Needs
the local cluster and its images (`make images`).
"""

import argparse
from typing import Final

from bench.in_a_pod import table, timed
from trainingrun_operator.api.v1alpha1 import TrainingRun
from trainingrun_operator.plan import Settings, launch_plan

DEFAULT: Final = "torchrun's default"


def planned_threads() -> str:
    """OMP_NUM_THREADS of a run whose worker has one CPU."""
    run = TrainingRun.parse(
        {
            "apiVersion": "trainingrun.io/v1alpha1",
            "kind": "TrainingRun",
            "metadata": {"name": "one-cpu", "namespace": "default"},
            "spec": {
                "task": {"type": "causal-lm"},
                "model": {"name": "a/b"},
                "data": {"train": "/data"},
                "training": {"maxSteps": 1},
                "workers": {"resources": {"cpu": "1"}},
            },
        }
    )
    variables = launch_plan(run, Settings(image_cpu="unused")).environment
    return next(str(v.value) for v in variables if v.name == "OMP_NUM_THREADS")


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7, help="processes of each variant")
    threads = {"TORCHRUN": "1", "OMP_NUM_THREADS": planned_threads()}
    variants = {
        "planned threads": threads,
        "planned threads and allocator": {**threads, "PRELOAD": "tcmalloc"},
        DEFAULT: {"TORCHRUN": "1"},
    }
    found = timed("1", variants, parser.parse_args().repeats)
    print(table(found, DEFAULT))


if __name__ == "__main__":
    main()

"""`python -m trainingrun_trainer.rendezvous --config run.json --port 23456`: a rendezvous alone.

For a run whose `workers.elastic.rendezvous` is `dedicated`; the workers find it by
PET_RDZV_ENDPOINT.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from trainingrun_trainer.config import any_config
from trainingrun_trainer.launcher import ending
from trainingrun_trainer.launcher.leaving import Leaving


def main(arguments: list[str]) -> int:
    """Hosts the rendezvous to the run's end; returns a `report.ExitCode`."""
    parser = argparse.ArgumentParser(prog="trainingrun_trainer.rendezvous", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="a RunConfig, as JSON")
    parser.add_argument("--port", type=int, required=True, help="where the workers connect")
    options = parser.parse_args(arguments)
    leaving = Leaving.listen()
    try:
        config = any_config(options.config.read_bytes())
    except (OSError, ValueError) as error:
        over = ending.config_error(options.config, error)
        print(ending.cause_line(over), file=sys.stderr)
        return over.code
    # Torch reports each worker that hangs up as a warning.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    from trainingrun_trainer.launcher import standalone  # noqa: PLC0415 - it imports torch

    return standalone.host(
        config, options.port, leaving, lambda line: print(f"[rendezvous] {line}", flush=True)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python -m trainingrun_trainer --config run.json`: the one entrypoint, in a pod and outside."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from pathlib import Path

from trainingrun_trainer.config import AnyConfig, any_config
from trainingrun_trainer.errors import UserError
from trainingrun_trainer.launcher import ending, forkserver
from trainingrun_trainer.launcher.ending import Ending
from trainingrun_trainer.launcher.leaving import Leaving
from trainingrun_trainer.launcher.place import place, termination_log
from trainingrun_trainer.stack import preload
from trainingrun_trainer.stack.environment import must_have_interface, variables
from trainingrun_trainer.stack.machine import Machine


def main(arguments: list[str]) -> int:
    """Runs this worker's part of the run; returns a `report.ExitCode`."""
    parser = argparse.ArgumentParser(prog="trainingrun_trainer", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="a RunConfig, as JSON")
    parser.add_argument(
        "--processes", type=int, metavar="N", help="ranks in this worker, instead of the config's"
    )
    options = parser.parse_args(arguments)

    leaving = Leaving.listen()
    last_words = termination_log(os.environ)
    try:
        config = with_processes(any_config(options.config.read_bytes()), options.processes)
    except (OSError, ValueError) as error:
        over = ending.config_error(options.config, error)
        print(ending.cause_line(over), file=sys.stderr)
        ending.write_termination_log(last_words, over, None)
        return over.code
    try:
        preload.ensure(config.cpu, os.environ, leaving, sys.orig_argv)
        over = run(config, leaving)
    except UserError as error:
        over = ending.user_error(error.message, error.field)
        print(ending.cause_line(over), file=sys.stderr)
    except Exception as error:  # whatever it is, the pod does not end without a word
        traceback.print_exc()
        over = ending.launcher_failed(error)
    ending.write_termination_log(last_words, over, config)
    return over.code


def run(config: AnyConfig, leaving: Leaving) -> Ending:
    """This worker's part of the run, from the fork server on.

    Raises:
        ValueError: the environment does not say which worker this is.
        UserError: this machine lacks what the config asks for.
    """
    here = place(os.environ)
    must_have_interface(config.communication.interface)
    added = variables(config, Machine.read(os.environ), os.environ)
    if "HF_HUB_CACHE" in added:
        print("Transformers 5 does not read TRANSFORMERS_CACHE: HF_HUB_CACHE is set to its value")
    os.environ.update(added)
    forkserver.start(config.cpu.ipex)
    # The fork server imports torch while this process does the same, hence only now.
    from trainingrun_trainer.launcher.main import launch  # noqa: PLC0415

    return launch(config, here, leaving)


def with_processes(config: AnyConfig, processes: int | None) -> AnyConfig:
    """The config with another number of ranks in each worker.

    Raises:
        ValueError: the number is less than one.
    """
    if processes is None:
        return config
    changed = config.processes.model_copy(update={"per_worker": processes})
    document = config.model_copy(update={"processes": changed}).model_dump()
    return type(config).model_validate(document)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The launcher from start to end: warm fork server, rendezvous, rounds, termination message."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from torch.distributed.elastic.rendezvous.api import (
    RendezvousParameters,
    rendezvous_handler_registry,
)

from trainingrun_trainer.config import AnyConfig, RendezvousPlace, RunConfig
from trainingrun_trainer.launcher import forkserver, rendezvous
from trainingrun_trainer.launcher.agent import Agent
from trainingrun_trainer.launcher.ending import Ending, cause_line, user_error
from trainingrun_trainer.launcher.entry import run_rank
from trainingrun_trainer.launcher.place import Place
from trainingrun_trainer.launcher.rendezvous import Meeting, Rendezvous
from trainingrun_trainer.launcher.terms import terms_of
from trainingrun_trainer.report import ExitCode


def launch(config: AnyConfig, place: Place, leaving: Callable[[], bool]) -> Ending:
    """Trains until the run is over for this worker. The fork server has been started."""
    _quiet_torch()

    def say(line: str) -> None:
        print(f"[worker {place.worker}] {line}", flush=True)

    terms = terms_of(config)
    if not terms.sizes and isinstance(config, RunConfig):
        return _no_size_fits(config)
    dedicated = config.processes.rendezvous is RendezvousPlace.DEDICATED
    meeting = Meeting(place.worker, place.host, place.port, config.run.name, terms, dedicated)
    rendezvous.register()
    handler = rendezvous_handler_registry.create_handler(
        RendezvousParameters(
            rendezvous.BACKEND,
            f"{place.host}:{place.port}",
            config.run.name,
            config.processes.min_workers,
            config.processes.max_workers,
            meeting=meeting,
            say=say,
            leaving=leaving,
        )
    )
    if not isinstance(handler, Rendezvous):
        raise TypeError(f"torch made {type(handler).__name__} for {rendezvous.BACKEND!r}")
    forkserver.wait_until_warm()
    with tempfile.TemporaryDirectory(prefix="trainingrun-") as scratch:
        agent = Agent(config, run_rank, handler, Path(scratch), leaving, say)
        try:
            ending = agent.follow()
            if ending.code is ExitCode.SUCCEEDED:
                handler.pronounce(ending.verdict)
        except BaseException:
            # A thread that still uses the store when the interpreter ends would abort the process.
            handler.leave(farewell=False)
            raise
        handler.leave(farewell=ending.code is not ExitCode.PREEMPTED)
    if ending.code is not ExitCode.SUCCEEDED:
        say(cause_line(ending))
    return ending


def _no_size_fits(config: RunConfig) -> Ending:
    processes, training = config.processes, config.training
    return user_error(
        f"no number of workers from {processes.min_workers} to {processes.max_workers} with "
        f"{processes.per_worker} ranks each makes a global batch of {training.global_batch_size}; "
        "change it to a multiple of the number of ranks",
        field="spec.training.globalBatchSize",
    )


def _quiet_torch() -> None:
    # torch reports each stopped or failed rank as a warning or an error with a traceback of its
    # own machinery; the agent says the same in one line, with the cause.
    for name in (
        "torch.distributed.elastic.multiprocessing.api",
        "torch.multiprocessing.spawn",
    ):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # All workers have equally many ranks: no exchange needed to number them.
    os.environ["TORCH_ELASTIC_WORKER_IDENTICAL"] = "1"
    # SIGTERM and SIGINT stay ours: torch would stop the ranks before they could save.
    os.environ["TORCHELASTIC_SIGNALS_TO_HANDLE"] = "SIGHUP"

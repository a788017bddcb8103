"""`python -m trainingrun_trainer.worker --config run.json`: one rank, started by another launcher.

torchrun, mpirun and accelerate launch start it once for each rank. What our own launcher adds is
missing then: no rank is started again. A run that is started anew resumes from its checkpoint.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from trainingrun_trainer.config import RunConfig
from trainingrun_trainer.errors import UserError
from trainingrun_trainer.handover import FailureNote, FaultKind, Orders
from trainingrun_trainer.report import ExitCode
from trainingrun_trainer.stack import preload
from trainingrun_trainer.stack.environment import must_have_interface, variables
from trainingrun_trainer.stack.machine import Machine
from trainingrun_trainer.worker.seat import Seat, SeatError

TORCHS_PORT: Final = 29500
ARRIVAL: Final = timedelta(minutes=10)
"""How long rank 0 waits for the others to come, as long as torchrun does."""


def main(arguments: list[str]) -> int:
    """Runs this process's rank to its end; 0, 64 if the run is wrong as written, or 1."""
    parser = argparse.ArgumentParser(prog="trainingrun_trainer.worker", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="a RunConfig, as JSON")
    options = parser.parse_args(arguments)
    try:
        seat = Seat.of(os.environ)
        config = as_started(RunConfig.read(options.config), seat)
        host, port = meeting_point(seat, os.environ)
        must_have_interface(config.communication.interface)
        preload.ensure(config.cpu, os.environ, lambda: False, sys.orig_argv)
    except (OSError, ValidationError, SeatError, UserError) as error:
        print(f"{options.config}: {error}", file=sys.stderr)
        return ExitCode.USER_ERROR
    # Accelerate reads the seat as well, and knows fewer launchers.
    os.environ.update(seat.variables())
    os.environ.update(variables(config, Machine.read(os.environ), os.environ))
    with store(seat, host, port), tempfile.TemporaryDirectory(prefix="trainingrun-") as scratch:
        orders = Orders(
            config_json=config.to_json(),
            store_host=host,
            store_port=port,
            store_prefix=f"attempt/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}",
            restart=None,
            first_round=True,
            scratch=Path(scratch),
        )
        return run(orders, seat)


def as_started(config: RunConfig, seat: Seat) -> RunConfig:
    """The config with the numbers of workers and ranks that the launcher has started."""
    workers = seat.world_size // seat.local_world_size
    started = config.processes.model_copy(
        update={
            "workers": workers,
            "min_workers": workers,
            "max_workers": workers,
            "per_worker": seat.local_world_size,
        }
    )
    return config.model_copy(update={"processes": started})


def run(orders: Orders, seat: Seat) -> int:
    """The rank's work, its failure told in one line."""
    # Imports torch, hence after the environment that torch reads.
    from trainingrun_trainer.worker.main import run_rank  # noqa: PLC0415

    try:
        run_rank(orders)
    except SystemExit:
        note = FailureNote.model_validate_json(orders.note_path(seat.local_rank).read_bytes())
        where = f" ({note.field})" if note.field else ""
        print(f"rank {note.rank}{where}: {note.message}", file=sys.stderr, flush=True)
        return ExitCode.USER_ERROR if note.kind is FaultKind.USER else 1
    return ExitCode.SUCCEEDED


def meeting_point(seat: Seat, env: Mapping[str, str]) -> tuple[str, int]:
    """Host and port of the store where the ranks meet.

    Raises:
        UserError: ranks on several machines were not told where.
    """
    host, port = env.get("MASTER_ADDR", ""), env.get("MASTER_PORT", str(TORCHS_PORT))
    if not host and seat.local_world_size < seat.world_size:
        raise UserError(
            "ranks on several machines do not know where to meet; set MASTER_ADDR to the name of "
            "the machine of rank 0, for all ranks"
        )
    if not port.isdecimal():
        raise UserError(f"MASTER_PORT is {port!r}; write a port number")
    return host or "127.0.0.1", int(port)


@contextmanager
def store(seat: Seat, host: str, port: int) -> Iterator[None]:
    """While it is open the store is there: rank 0 holds it, unless its launcher does.

    Leaving waits for all ranks: one that still reads from a store that is gone would fail.
    """
    # Imports torch, hence after the environment that torch reads.
    from trainingrun_trainer.stores import TCPStore  # noqa: PLC0415

    if os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True":
        yield
        return
    held = TCPStore(
        host,
        port,
        world_size=seat.world_size,
        is_master=seat.rank == 0,
        timeout=ARRIVAL,
        wait_for_workers=True,
    )
    yield
    last = held.add("left", 1) == seat.world_size
    if last:
        held.set("all-left", "")
    elif seat.rank == 0:
        held.wait(["all-left"], timedelta(seconds=60))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The user's own program in a rank: torch's own variables, and nothing of ours in its way."""

from __future__ import annotations

import os
import re
import runpy
import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import torch.distributed as dist

from trainingrun_trainer.config import ScriptConfig
from trainingrun_trainer.errors import UserError
from trainingrun_trainer.handover import Orders, Outcome, OutcomeKind
from trainingrun_trainer.heartbeat import Activity, Heart
from trainingrun_trainer.state import RunState
from trainingrun_trainer.stores import PrefixStore, TCPStore
from trainingrun_trainer.worker import recovery

CHECKPOINTS_VARIABLE: Final = "TRAININGRUN_CHECKPOINT_DIR"
MEET_WITHIN: Final = timedelta(seconds=60)
"""Ranks of all workers are started within seconds of each other."""
_CHECKPOINT: Final = re.compile(r"^checkpoint-(\d+)$")


class ProgramExitError(Exception):
    """The program ended itself with an exit status that is not 0."""


def run(config: ScriptConfig, orders: Orders, heart: Heart) -> Outcome:
    """Runs the program to its end, as `__main__` of this process.

    Raises:
        UserError: there is no such program or module.
        ProgramExitError: it ended with another status than 0.
        Exception: whatever it raised.
    """
    checkpoints = Path(config.folder) / "checkpoints"
    checkpoints.mkdir(parents=True, exist_ok=True)
    if os.environ["RANK"] == "0":
        _remember(config, orders, _newest_step(checkpoints))
    os.environ[CHECKPOINTS_VARIABLE] = str(checkpoints)
    store = _meet(orders)
    try:
        _run_as_main(config)
    finally:
        heart.beat(_newest_step(checkpoints), Activity.PAUSED)
        if dist.is_initialized():
            # A rank that exits with a live group may abort.
            dist.destroy_process_group()
        del store
    return Outcome(OutcomeKind.FINISHED, _newest_step(checkpoints))


def _meet(orders: Orders) -> TCPStore | None:
    """Points torch's env:// at a store of this round's own, which rank 0 holds and returns.

    In the launchers' store, which outlives rounds, a rank could read the address of one that is
    gone: torch puts no prefix of a round before its keys there.
    """
    launchers = TCPStore(orders.store_host, orders.store_port, is_master=False, timeout=MEET_WITHIN)
    told = PrefixStore(f"{orders.store_prefix}/program", launchers)
    own = None
    if os.environ["RANK"] == "0":
        own = TCPStore("localhost", 0, is_master=True, wait_for_workers=False)
        told.set("address", f"{_own_address()}:{own.port}")
    address: bytes = told.get("address")
    host, _, port = address.decode().rpartition(":")
    # torch's own words for: somebody else than rank 0 of the program serves the store.
    os.environ |= {
        "MASTER_ADDR": host,
        "MASTER_PORT": port,
        "TORCHELASTIC_USE_AGENT_STORE": "True",
    }
    return own


def _own_address() -> str:
    """Where ranks of other workers reach this process; on one worker, its own machine."""
    if os.environ["WORLD_SIZE"] == os.environ["LOCAL_WORLD_SIZE"]:
        return "localhost"
    return socket.gethostbyname(socket.gethostname())


def _run_as_main(config: ScriptConfig) -> None:
    task = config.task
    arguments = task.arguments or ()
    try:
        if task.program is not None:
            if not Path(task.program).is_file():
                raise UserError(f"{task.program} does not exist in the pod", "spec.task.program")
            sys.argv = [task.program, *arguments]
            sys.path.insert(0, str(Path(task.program).parent))
            runpy.run_path(task.program, run_name="__main__")
        elif task.module is not None:
            sys.argv = [task.module, *arguments]
            runpy.run_module(task.module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        if ended.code not in (None, 0):
            raise ProgramExitError(f"the program ended with status {ended.code}") from ended


def _newest_step(checkpoints: Path) -> int:
    """The greatest N of a `checkpoint-N`, as Transformers names them; 0 if there is none."""
    found = (_CHECKPOINT.match(entry.name) for entry in checkpoints.iterdir())
    return max((int(match[1]) for match in found if match), default=0)


def _remember(config: ScriptConfig, orders: Orders, step: int) -> None:
    """Keeps the record of restarts that a run of our own trainer keeps after its first step."""
    folder, now = Path(config.folder), datetime.now(UTC)
    state = RunState.read(folder)
    if state.uid != config.run.uid or state.started_at is None:
        state = RunState(uid=config.run.uid, started_at=now)
    if (restart := recovery.pending(orders, state, step, now)) is not None:
        state = state.with_restart(recovery.completed(restart, step, now))
    state.model_copy(update={"last_step": step, "left_in_order": False}).write(folder)

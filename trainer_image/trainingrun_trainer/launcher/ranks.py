"""The processes of one worker's ranks: how they are seen, asked for their stacks, and ended."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from trainingrun_trainer.files import write_whole
from trainingrun_trainer.handover import Orders
from trainingrun_trainer.heartbeat import Beat
from trainingrun_trainer.launcher.vigil import Sight
from trainingrun_trainer.stacks import DUMP, innermost

HANGS: Final = "hangs"
"""The folder in the run's own where dumps are kept."""
KEPT_HANGS: Final = 16
DUMP_WITHIN_SECONDS: Final = 2.0
"""A dump takes milliseconds; a rank that the kernel cannot wake (a dead network file system) never
writes one."""


@dataclass(frozen=True)
class Ranks:
    """Pids by local rank; `first` is the number of the first of them in the whole run."""

    pids: Mapping[int, int]
    first: int
    orders: Orders

    def sights(self) -> dict[int, Sight]:
        """What is to be seen of each rank now."""
        seen = {}
        for local, pid in self.pids.items():
            state = _state(pid)
            seen[local] = Sight(
                Beat.read(self.orders.heart_path(local)),
                stopped=state == "T",
                alive=state not in {"", "Z"},
            )
        return seen

    def send(self, number: signal.Signals) -> None:
        """A signal to all of them; those that are gone already are left out."""
        for pid in self.pids.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def dumps(self) -> dict[int, str]:
        """The stacks of each rank, with its state ahead of them, by local rank.

        A stopped rank is woken for it: it cannot write otherwise. The caller ends it right after.
        """
        heads = {local: self._head(local, pid) for local, pid in self.pids.items()}
        self.send(DUMP)
        self.send(signal.SIGCONT)
        end = time.monotonic() + DUMP_WITHIN_SECONDS
        while time.monotonic() < end and not all(map(self._has_dumped, self.pids)):
            time.sleep(0.02)
        return {local: f"{head}\n{self._dump(local)}" for local, head in heads.items()}

    def _head(self, local: int, pid: int) -> str:
        beat = Beat.read(self.orders.heart_path(local))
        return (
            f"rank {self.first + local}, state {_state(pid) or 'gone'}, "
            f"kernel function {_read(pid, 'wchan') or 'unknown'}, "
            f"step {beat.step}, {beat.activity.name.lower()}"
        )

    def _dump(self, local: int) -> str:
        with contextlib.suppress(FileNotFoundError):
            return self.orders.stack_path(local).read_text(errors="replace")
        return ""

    def _has_dumped(self, local: int) -> bool:
        return innermost(self._dump(local)) is not None


def keep(dumps: Mapping[int, str], first: int, folder: Path, now: datetime) -> Path | None:
    """Puts dumps into the run's folder, a file for each rank; where, or None if that failed."""
    hangs = folder / HANGS
    place = hangs / now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    try:
        for local, text in dumps.items():
            write_whole(place / f"rank-{first + local}.txt", text.encode())
        for old in sorted(hangs.iterdir())[:-KEPT_HANGS]:
            for file in old.iterdir():
                file.unlink()
            old.rmdir()
    except OSError:  # the restart matters more
        return None
    return place


def _state(pid: int) -> str:
    """The kernel's letter for what the process does; "" if it is gone."""
    return _read(pid, "stat").rpartition(") ")[2][:1]


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError:
        return ""

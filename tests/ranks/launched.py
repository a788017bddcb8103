"""A launcher process and what a test does to it: read its lines, kill it or a rank, wait."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Collection
from pathlib import Path

from trainingrun_trainer.report import TerminationMessage

PATIENCE_SECONDS = 120.0
"""Matters only where a test fails: a run here takes 4 s, on a busy machine a few times that."""


class Launched:
    """`python -m trainingrun_trainer` with its output in memory, line by line."""

    def __init__(self, config: Path, termination_log: Path, env: dict[str, str]) -> None:
        self._termination_log = termination_log
        self.lines: list[str] = []
        self._grown = threading.Condition()
        self._ended = False
        self.process = subprocess.Popen(
            [sys.executable, "-m", "trainingrun_trainer", "--config", str(config)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={
                # Bytecode is written and kept: without it each process compiles all of torch.
                **{k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"},
                "TRAININGRUN_TERMINATION_LOG": str(termination_log),
                **env,
            },
        )
        # A thread reads, so that a launcher whose lines no test asks for never waits for a reader.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def until(self, text: str) -> None:
        """Returns when a line with this text was printed.

        Raises:
            AssertionError: the output ended before, or it took too long.
        """
        with self._grown:
            self._grown.wait_for(lambda: self._ended or self._has(text), PATIENCE_SECONDS)
            if not self._has(text):
                raise AssertionError(f"no line with {text!r} in:\n{self.output()}")

    def until_child(self) -> None:
        """Returns when the fork server was started: the launcher and it still import torch."""
        while not _children(self.process.pid):
            os.sched_yield()

    def end(self) -> int:
        """The exit code, when all output is read."""
        code = self.process.wait(PATIENCE_SECONDS)
        self._reader.join(PATIENCE_SECONDS)
        return code

    def output(self) -> str:
        return "\n".join(self.lines)

    def message(self) -> TerminationMessage:
        """What the launcher left in the termination log."""
        return TerminationMessage.model_validate_json(self._termination_log.read_bytes())

    def family(self) -> set[int]:
        """Pids of the launcher and of everything it started that still runs."""
        found, new = {self.process.pid}, [self.process.pid]
        while new:
            children = _children(new.pop())
            found.update(children)
            new += children
        return found

    def ranks(self) -> list[int]:
        """Pids of the ranks in the order of their start, which is that of local ranks."""
        servers = [pid for pid in _children(self.process.pid) if _children(pid)]
        return sorted(rank for server in servers for rank in _children(server))

    def kill_rank(self, local_rank: int) -> None:
        os.kill(self.ranks()[local_rank], signal.SIGKILL)

    def ask_to_leave(self) -> None:
        self.process.terminate()

    def kill(self) -> None:
        """SIGKILL for the launcher; returns when it and everything it started is gone."""
        family = self.family()
        self.process.kill()
        self.end()
        await_gone(family)
        if self.process.stdout is not None:
            self.process.stdout.close()

    def _has(self, text: str) -> bool:
        return any(text in line for line in self.lines)

    def _read(self) -> None:
        for line in self.process.stdout or ():
            with self._grown:
                self.lines.append(line.rstrip())
                self._grown.notify_all()
        with self._grown:
            self._ended = True
            self._grown.notify_all()


def await_gone(pids: Collection[int]) -> None:
    """Returns when none of the processes runs any more.

    Raises:
        AssertionError: some still do after 10 s.
    """
    end = time.monotonic() + 10
    while left := {pid for pid in pids if _runs(pid)}:
        if time.monotonic() > end:
            raise AssertionError(f"processes {left} are left over")
        os.sched_yield()


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, tasks.read_text().split())
        except OSError:
            continue
    return found

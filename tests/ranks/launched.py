"""A launcher process and what a test does to it: read its lines, kill it or a rank, wait."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path

from trainingrun_trainer.report import TerminationMessage

PATIENCE_SECONDS = 120.0
"""Matters only where a test fails: a run here takes 4 s, on a busy machine a few times that."""


class Launched:
    """`python -m trainingrun_trainer` with its output in memory, line by line."""

    def __init__(
        self,
        config: Path,
        termination_log: Path,
        env: dict[str, str],
        module: str = "trainingrun_trainer",
    ) -> None:
        self._termination_log = termination_log
        self.lines: list[str] = []
        self._grown = threading.Condition()
        self._ended = False
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, "--config", str(config)],
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
        await_true(lambda: bool(_children(self.process.pid)), "the launcher has a child")

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

    def kill_rank(self, rank: int) -> None:
        self.signal_rank(rank, signal.SIGKILL)

    def signal_rank(self, rank: int, number: signal.Signals) -> None:
        """A signal for the process that is called after the rank."""
        for pid in self.family():
            if Path(f"/proc/{pid}/comm").read_text() == f"rank-{rank}\n":
                os.kill(pid, number)
                return
        raise AssertionError(f"there is no rank {rank}")

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
    for pid in pids:
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            ended, _, _ = select.select([handle], [], [], max(end - time.monotonic(), 0))
        finally:
            os.close(handle)
        if not ended:
            raise AssertionError(f"process {pid} is left over")


def await_true(condition: Callable[[], bool], what: str) -> None:
    """Returns when the condition holds; for what the kernel gives no notice of.

    Raises:
        AssertionError: it took too long.
    """
    pause, end = threading.Event(), time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain: {what}")
        pause.wait(0.02)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, tasks.read_text().split())
        except OSError:
            continue
    return found

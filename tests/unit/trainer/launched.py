"""A launcher process and what a test does to it: read its lines, kill it or a rank, wait."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from trainingrun_trainer.report import TerminationMessage

_SECONDS = 50.0


class Launched:
    """`python -m trainingrun_trainer` with its output in memory, line by line."""

    def __init__(self, config: Path, termination_log: Path, env: dict[str, str]) -> None:
        self._termination_log = termination_log
        self.lines: list[str] = []
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

    def until(self, text: str) -> None:
        """Reads on until a line with this text.

        Raises:
            AssertionError: the output ended before.
        """
        if self.process.stdout is None:
            raise AssertionError("no output")
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if text in line:
                return
        raise AssertionError(f"no line with {text!r} in:\n" + "\n".join(self.lines))

    def end(self) -> int:
        """Reads the rest and gives the exit code."""
        out, _ = self.process.communicate(timeout=_SECONDS)
        self.lines += out.splitlines()
        return self.process.returncode

    def output(self) -> str:
        return "\n".join(self.lines)

    def message(self) -> TerminationMessage:
        """What the launcher left in the termination log."""
        return TerminationMessage.model_validate_json(self._termination_log.read_bytes())

    def ranks(self) -> list[int]:
        """Pids of the ranks in the order of their start, which is that of local ranks."""
        servers = [pid for pid in _children(self.process.pid) if _children(pid)]
        return sorted(rank for server in servers for rank in _children(server))

    def kill_rank(self, local_rank: int) -> None:
        os.kill(self.ranks()[local_rank], signal.SIGKILL)

    def ask_to_leave(self) -> None:
        self.process.terminate()

    def kill(self) -> None:
        """SIGKILL for the launcher; the kernel takes fork server and ranks along."""
        ranks = self.ranks()
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        end = time.monotonic() + 10
        while any(Path(f"/proc/{rank}").exists() for rank in ranks):
            if time.monotonic() > end:
                raise AssertionError(f"ranks {ranks} outlived their launcher")
            os.sched_yield()


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, tasks.read_text().split())
        except OSError:
            continue
    return found

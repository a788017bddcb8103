"""Runs commands with everything they print in one log file, and ends them when told to."""

import os
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO


class CommandFailed(Exception):
    """A command ended with an exit status other than zero."""

    def __init__(self, argv: tuple[str, ...], status: int) -> None:
        super().__init__(f"`{shlex.join(argv)}` ended with status {status}")
        self.argv, self.status = argv, status


class TimedOut(Exception):
    """Something that was waited for did not come in time."""


class Shell:
    """Runs commands for one step; their output goes to `log`.

    Each command gets a process group of its own, so that `stop` ends its children too.
    """

    def __init__(self, log: Path) -> None:
        self.log = log
        self._running: set[subprocess.Popen[bytes]] = set()
        self._guard = threading.Lock()
        self._stopped = False
        self._last_answer: tuple[tuple[str, ...], bytes] | None = None

    def note(self, text: str) -> None:
        """Write one line of our own to the log."""
        with self._open() as log:
            log.write(f"{text}\n".encode())

    def run(
        self,
        *argv: str | Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str | bytes | None = None,
        timeout: float | None = None,
    ) -> None:
        """Run a command to its end.

        Raises:
            CommandFailed: its status was not zero.
        """
        with self._open() as log:
            self._command(argv, log, cwd, env, stdin, timeout)

    def read(
        self,
        *argv: str | Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str | bytes | None = None,
        timeout: float | None = None,
    ) -> str:
        """Run a command and give its standard output (which goes to the log as well).

        Raises:
            CommandFailed: its status was not zero.
        """
        output = self._command(argv, subprocess.PIPE, cwd, env, stdin, timeout)
        with self._open() as log:
            log.write(output)
        return output.decode(errors="replace").strip()

    def ok(
        self, *argv: str | Path, stdin: str | bytes | None = None, timeout: float | None = None
    ) -> bool:
        """Whether a command ends with status zero.

        Asked again with the same answer it leaves the log alone: a wait of minutes must not
        push out of sight what was said before it.
        """
        words = tuple(str(word) for word in argv)
        try:
            process = self._begin(words, None, None, stdin, subprocess.PIPE, subprocess.STDOUT)
            output = self._finish(process, stdin, timeout)
            good = process.returncode == 0
        except (CommandFailed, subprocess.TimeoutExpired, FileNotFoundError) as error:
            good, output = False, f"{error}\n".encode()
        if (words, output) != self._last_answer:
            self.note(f"$ {shlex.join(words)}")
            with self._open() as log:
                log.write(output)
        self._last_answer = (words, output)
        return good

    def wait(
        self, what: str, *argv: str | Path, seconds: float, stdin: str | bytes | None = None
    ) -> None:
        """Repeat a command until it ends with status zero.

        Raises:
            TimedOut: it never did within `seconds`.
        """
        self.wait_until(what, lambda: self.ok(*argv, stdin=stdin, timeout=15), seconds)

    def wait_until(self, what: str, true: Callable[[], bool], seconds: float) -> None:
        """Ask every half second until it is true.

        Raises:
            TimedOut: it never was within `seconds`.
        """
        deadline = time.monotonic() + seconds
        while not true():
            if self._stopped or time.monotonic() > deadline:
                raise TimedOut(f"not so after {seconds:.0f} s: {what}")
            time.sleep(0.5)

    def stop(self) -> None:
        """End what is running, and let nothing new start."""
        with self._guard:
            self._stopped = True
            for process in self._running:
                _signal_group(process, signal.SIGTERM)

    def _open(self) -> IO[bytes]:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        return self.log.open("ab", buffering=0)

    def _command(
        self,
        argv: tuple[str | Path, ...],
        stdout: IO[bytes] | int,
        cwd: Path | None,
        env: Mapping[str, str] | None,
        stdin: str | bytes | None,
        timeout: float | None,
    ) -> bytes:
        words = tuple(str(word) for word in argv)
        self.note(f"$ {shlex.join(words)}")
        with self._open() as log:
            process = self._begin(words, cwd, env, stdin, stdout, log)
            output = self._finish(process, stdin, timeout)
        if process.returncode != 0:
            raise CommandFailed(words, process.returncode)
        return output

    def _begin(
        self,
        words: tuple[str, ...],
        cwd: Path | None,
        env: Mapping[str, str] | None,
        stdin: str | bytes | None,
        stdout: IO[bytes] | int,
        stderr: IO[bytes] | int,
    ) -> subprocess.Popen[bytes]:
        with self._guard:
            if self._stopped:
                raise CommandFailed(words, -signal.SIGTERM)
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
                stdout=stdout,
                stderr=stderr,
                cwd=cwd,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )
            self._running.add(process)
        return process

    def _finish(
        self, process: subprocess.Popen[bytes], stdin: str | bytes | None, timeout: float | None
    ) -> bytes:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        try:
            output, _ = process.communicate(data, timeout=timeout)
        finally:
            if process.poll() is None:
                _signal_group(process, signal.SIGKILL)
                process.wait()
            with self._guard:
                self._running.discard(process)
        return output or b""


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return

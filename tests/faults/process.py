"""The operator as a process that can be killed, and is started again as the kubelet would."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import threading
from collections.abc import Iterator
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.api.server import ApiServer
from trainingrun_operator import logs
from trainingrun_operator.__main__ import serve
from trainingrun_operator.options import Options, Patience

STOP_SECONDS = 20

# Forked from a process that has all imported: a start takes a fraction of a second, not seconds.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["trainingrun_operator.__main__"])


class OperatorProcess:
    """One operator; whenever its process ends unasked, another is started."""

    def __init__(
        self, server: ApiServer, options: Options, log: Path, patience: Patience | None
    ) -> None:
        self._arguments = (options, patience, str(server.kubeconfig), str(log))
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._process: ForkServerProcess | None = None
        self.deaths = 0
        self._supervisor = threading.Thread(target=self._supervise, name="kubelet", daemon=True)

    def start(self) -> None:
        """Start the operator and watch over it."""
        self._supervisor.start()

    def kill(self) -> None:
        """End the process without a warning."""
        if self._process is not None:
            self._process.kill()

    def until_deaths(self, number: int) -> None:
        """Wait until the process has ended unasked so many times."""
        with self._changed:
            reached = self._changed.wait_for(lambda: self.deaths >= number, STOP_SECONDS)
        assert reached, f"{self.deaths} deaths, not {number}"

    def stop(self) -> None:
        """Ask the process to end, and start no other."""
        self._stopping.set()
        if self._process is not None:
            self._process.terminate()
        self._supervisor.join(STOP_SECONDS)
        self.kill()

    @property
    def memory_bytes(self) -> int:
        """The resident memory of the process."""
        assert self._process is not None
        pages = Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def _supervise(self) -> None:
        while not self._stopping.is_set():
            process = _FORKS.Process(target=_serve, args=self._arguments)
            process.start()
            self._process = process
            if self._stopping.is_set():
                process.terminate()
            process.join()
            with self._changed:
                self.deaths += not self._stopping.is_set()
                self._changed.notify_all()


@contextlib.contextmanager
def operator_process(
    server: ApiServer, options: Options, log: Path, patience: Patience | None = None
) -> Iterator[OperatorProcess]:
    """An operator in a process of its own until the block ends."""
    process = OperatorProcess(server, options, log, patience)
    process.start()
    try:
        yield process
    finally:
        process.stop()


def _serve(options: Options, patience: Patience | None, kubeconfig: str, log: str) -> None:
    with Path(log).open("a") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.environ["KUBECONFIG"] = kubeconfig
    logs.configure("text")
    asyncio.run(serve(options, patience))

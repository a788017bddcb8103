"""The operator in a thread of its own, and a cluster that counts and can be held up."""

from __future__ import annotations

import asyncio
import contextlib
import selectors
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lightkube import KubeConfig

from tests.api.server import ApiServer
from trainingrun_operator.cluster.kubernetes import KubernetesCluster
from trainingrun_operator.cluster.protocol import Manifest
from trainingrun_operator.keys import Key
from trainingrun_operator.operator import Operator
from trainingrun_operator.options import Options, Patience

START_SECONDS = 30


class CountingCluster(KubernetesCluster):
    """The real cluster; keeps every status to write, and can hang before an object is made."""

    def __init__(self, config: KubeConfig) -> None:
        super().__init__(config)
        self.statuses: list[tuple[Key, Mapping[str, Any]]] = []
        self.applied: list[str] = []
        self.hang_before: str | None = None
        self.hanging = threading.Event()

    async def write_status(
        self, key: Key, resource_version: str, status: Mapping[str, Any]
    ) -> Manifest:
        self.statuses.append((key, status))
        return await super().write_status(key, resource_version, status)

    async def apply(self, manifest: Manifest, owner_uid: str) -> Manifest:
        if manifest["kind"] == self.hang_before:
            self.hanging.set()
            await asyncio.Event().wait()
        self.applied.append(manifest["kind"])
        return await super().apply(manifest, owner_uid)

    def written(self, name: str) -> list[Mapping[str, Any]]:
        """The statuses written of the run of this name."""
        return [status for key, status in self.statuses if key.name == name]


@dataclass
class RunningOperator:
    """An operator that runs until the block that made it ends."""

    cluster: CountingCluster | None = None
    ready: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event = field(default_factory=threading.Event)
    error: BaseException | None = None


@contextlib.contextmanager
def operator(
    server: ApiServer,
    options: Options,
    hang_before: str | None = None,
    clock: Callable[[], datetime] | None = None,
    patience: Patience | None = None,
) -> Iterator[CountingCluster]:
    """Run the operator until the block ends; yields the cluster it talks to."""
    this = RunningOperator()
    made = threading.Event()

    selector = selectors.DefaultSelector()

    async def serve() -> None:
        this.cluster = CountingCluster(KubeConfig.from_file(str(server.kubeconfig)))
        this.cluster.hang_before = hang_before
        made.set()
        try:
            await Operator(options, this.cluster, clock, patience).serve(this.stop, this.ready)
        finally:
            await this.cluster.close()
            await _hung_up(selector)

    def run() -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
                runner.run(serve())
        except BaseException as error:
            this.error = error
        finally:
            made.set()
            this.ready.set()

    thread = threading.Thread(target=run, name="operator", daemon=True)
    thread.start()
    assert this.ready.wait(START_SECONDS), "the operator did not start"
    assert this.error is None, this.error
    assert this.cluster is not None
    try:
        yield this.cluster
    finally:
        this.stop.set()
        thread.join(START_SECONDS)
    assert not thread.is_alive(), "the operator did not stop"
    assert this.error is None, this.error


async def _hung_up(selector: selectors.BaseSelector) -> None:
    """Wait until the loop that waits by this selector has no connection left.

    A closed TLS connection says goodbye first, and aiohttp does not wait for that: in a loop
    that ends earlier its socket stays open.

    Raises:
        TimeoutError: something has left its connection open.
    """
    own = 1  # the loop's own, by which other threads wake it
    async with asyncio.timeout(START_SECONDS):
        while len(selector.get_map()) > own:  # noqa: ASYNC110 - a socket tells nobody of its end
            await asyncio.sleep(0.01)

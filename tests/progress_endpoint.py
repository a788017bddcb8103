"""The operator's own progress endpoint, over TLS, in a thread of the test."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web

from trainingrun_operator.cluster.protocol import Caller
from trainingrun_operator.keys import Key
from trainingrun_operator.progress import certificates
from trainingrun_operator.progress.identity import Identities
from trainingrun_operator.progress.server import ProgressServer
from trainingrun_operator.progress.store import ReportStore
from trainingrun_trainer.report import Report

KEY = Key("default", "test")
UID = "uid-1"
_T = TypeVar("_T")


class StandInReviewer:
    """Stands in for the API server's TokenReview: it knows one token."""

    async def review_token(self, token: str, audience: str) -> Caller | None:
        return Caller(KEY.namespace, "test-worker-0", "pod-0") if token == "good" else None


class StandInPods:
    """Stands in for the operator's watch of pods: every pod is of the one run."""

    def run_of_pod(self, namespace: str, uid: str) -> Key | None:
        return KEY


class ProgressEndpoint:
    """Opens and closes at one address; keeps what was accepted, in order."""

    def __init__(self, folder: Path) -> None:
        """`folder` takes the files that a pod is given: authority and token."""
        self.accepted: list[Report] = []
        self._arrived = threading.Condition()
        self._store = ReportStore()
        self._bundle = certificates.renewed(None, "127.0.0.1", datetime.now(UTC))
        self._authority, self.token = folder / "ca.crt", folder / "token"
        self._authority.write_bytes(self._bundle.authority)
        self.token.write_text("good\n")
        self._port = 0
        self._runner: web.AppRunner | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.open()

    @property
    def env(self) -> dict[str, str]:
        """What the operator writes into a pod's environment."""
        return {
            "KUBEFLOW_TRAINER_SERVER_URL": f"https://127.0.0.1:{self._port}/v1/namespaces/"
            f"{KEY.namespace}/trainingruns/{KEY.name}/status",
            "KUBEFLOW_TRAINER_SERVER_CA_CERT": str(self._authority),
            "KUBEFLOW_TRAINER_SERVER_TOKEN": str(self.token),
        }

    def open(self) -> None:
        context = certificates.server_context()
        certificates.load(context, self._bundle)
        identities = Identities(StandInReviewer(), StandInPods(), lambda: datetime.now(UTC))
        server = ProgressServer(
            identities, self._store, lambda _: UID, self._wake, lambda: datetime.now(UTC)
        )
        self._runner = self._do(server.start(f"127.0.0.1:{self._port}", context))
        self._port = self._runner.addresses[0][1]

    def close(self) -> None:
        """Goes away; connections are refused."""
        if self._runner is not None:
            self._do(self._runner.cleanup())
            self._runner = None

    def end(self) -> None:
        """Goes away for good."""
        self.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def until_accepted(self, reports: int) -> None:
        """Returns when so many reports were accepted.

        Raises:
            AssertionError: they were not within 30 s.
        """
        self._until(lambda: len(self.accepted) >= reports)

    def until_told(self, of: Callable[[Report], bool]) -> None:
        """Returns when a report was accepted of which this holds.

        Raises:
            AssertionError: there was none within 30 s.
        """
        self._until(lambda: any(map(of, self.accepted)))

    def _until(self, holds: Callable[[], bool]) -> None:
        with self._arrived:
            if not self._arrived.wait_for(holds, 30):
                raise AssertionError(f"not among the {len(self.accepted)} reports that arrived")

    def _wake(self, key: Key) -> None:
        received = self._store.newest(key, UID)
        if received is None:
            raise AssertionError("woken without a report")
        with self._arrived:
            self.accepted.append(received.report)
            self._arrived.notify_all()

    def _do(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

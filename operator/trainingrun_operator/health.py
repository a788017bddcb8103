"""Whether the operator still sees what happens: the endpoint of the kubelet and of Prometheus.

A watch can die without a word. So a read-only audit lists the runs' versions now and then; a run
whose version the watch has not shown by the next audit is the proof that it is blind. So is a run
that is older than the watch has shown it: the cluster's state went back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from aiohttp import web

from trainingrun_operator.cluster.protocol import ClusterError
from trainingrun_operator.keys import Key

Versions = Mapping[Key, str]
METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
logger = logging.getLogger(__name__)


def unseen(listed: Versions, shown: Versions) -> dict[Key, str]:
    """The runs that the API server has at a newer version than the watches have shown."""
    return {
        key: version
        for key, version in listed.items()
        if key not in shown or int(shown[key]) < int(version)
    }


def gone_back(listed: Versions, shown: Versions) -> dict[Key, str]:
    """The runs that the API server has at an older version than was shown before it was asked.

    So it is after etcd was restored to an older state. The API server then keeps all that is older
    than a watch has seen from that watch, which begins where it left off.
    """
    return {
        key: version
        for key, version in listed.items()
        if key in shown and int(version) < int(shown[key])
    }


class Health:
    """Healthy until an audit has proved the watches dead, or the operator says it is stopping."""

    def __init__(
        self,
        listed: Callable[[], Awaitable[Versions]],
        shown: Callable[[], Versions],
        interval: timedelta,
        second_look: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._listed = listed
        self._shown = shown
        self._interval = interval
        self._second_look = second_look
        self._clock = clock
        self.trouble: str | None = None
        self.sound_at = clock()
        """When the watches were last known to show all there is; new ones are taken to."""

    async def audit(self) -> None:
        """Look twice, with time for the watches between, and note the trouble there is."""
        shown = self._shown()
        try:
            listed = await self._listed()
        except ClusterError as error:
            # An API server that is away is no fault of the watches, and no restart mends it.
            logger.warning("the audit of the watches is put off: %s", error)
            return
        if older := gone_back(listed, shown):
            self._note(f"the cluster's state went back: {', '.join(map(str, older))}")
            return
        if missing := unseen(listed, self._shown()):
            await asyncio.sleep(self._second_look.total_seconds())
            missing = unseen(missing, self._shown())
        self._note(f"the watches have not shown {', '.join(map(str, missing))}" if missing else "")

    def _note(self, trouble: str) -> None:
        self.trouble = trouble or None
        if trouble:
            logger.error("%s", trouble)
        else:
            self.sound_at = self._clock()

    async def run(self) -> None:
        """Audit until cancelled."""
        while True:
            await asyncio.sleep(self._interval.total_seconds())
            await self.audit()

    async def start(self, host: str, port: int, metrics: Callable[[], bytes]) -> web.AppRunner:
        """Serve /healthz and /metrics until the runner returned is cleaned up."""

        async def measured(_request: web.Request) -> web.Response:
            return web.Response(body=metrics(), headers={"Content-Type": METRICS_TYPE})

        app = web.Application()
        app.router.add_get("/healthz", self._answer)
        app.router.add_get("/metrics", measured)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, host, port).start()
        return runner

    async def _answer(self, _request: web.Request) -> web.Response:
        if self.trouble:
            return web.Response(status=503, text=self.trouble)
        return web.Response(text="ok")

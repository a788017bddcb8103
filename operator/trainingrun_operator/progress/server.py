"""The endpoint: Kubeflow Trainer's status request, one URL for each run."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from pydantic import ValidationError

from trainingrun_operator.cluster.protocol import ClusterError
from trainingrun_operator.keys import Key
from trainingrun_operator.progress.identity import Identities
from trainingrun_operator.progress.store import ReportStore
from trainingrun_trainer.report import Report

PATH: Final = "/v1/namespaces/{namespace}/trainingruns/{name}/status"
BODY_LIMIT: Final = 64 * 1024
"""Bytes. 256 metrics of 512 characters would be more; no trainer sends nearly as many."""

logger = logging.getLogger(__name__)


class ProgressServer:
    """Takes posts, keeps them, and wakes the run they speak of."""

    def __init__(
        self,
        identities: Identities,
        store: ReportStore,
        uid_of: Callable[[Key], str | None],
        wake: Callable[[Key], None],
        clock: Callable[[], datetime],
    ) -> None:
        """`uid_of` gives a run's UID, None if there is no such run."""
        self._identities = identities
        self._store = store
        self._uid_of = uid_of
        self._wake = wake
        self._clock = clock

    def application(self) -> web.Application:
        """The application to serve."""
        app = web.Application(client_max_size=BODY_LIMIT)
        app.router.add_post(PATH, self._post)
        return app

    async def start(self, address: str, tls: ssl.SSLContext) -> web.AppRunner:
        """Serve on `host:port` until the runner returned is cleaned up."""
        runner = web.AppRunner(self.application(), access_log=None)
        await runner.setup()
        host, port = split_address(address)
        await web.TCPSite(runner, host, port, ssl_context=tls).start()
        return runner

    async def _post(self, request: web.Request) -> web.Response:
        key = Key(request.match_info["namespace"], request.match_info["name"])
        await self._allow(request, key)
        uid = self._uid_of(key)
        if uid is None:
            raise web.HTTPNotFound(text=f"there is no TrainingRun {key}")
        now = self._clock()
        if self._store.too_soon(key, now):
            raise web.HTTPTooManyRequests(
                text="at most one report a second", headers={"Retry-After": "1"}
            )
        try:
            report = Report.model_validate_json(await request.read())
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:8]
            )
            raise web.HTTPBadRequest(text=faults) from error
        self._store.put(key, uid, report, now)
        self._wake(key)
        return web.Response()

    async def _allow(self, request: web.Request, key: Key) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise web.HTTPUnauthorized(text="a bearer token is needed")
        try:
            run = await self._identities.run_of(token.strip())
        except ClusterError as error:
            logger.warning("progress of %s: %s", key, error)
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "5"}) from error
        if run is None:
            raise web.HTTPUnauthorized(text="the token is of no pod of a TrainingRun")
        if run != key:
            raise web.HTTPForbidden(text="the token is of a pod of another TrainingRun")


def split_address(address: str) -> tuple[str, int]:
    """Host and port of `host:port`; the host may be empty for all interfaces."""
    parts = urlsplit(f"//{address}")
    if parts.port is None:
        raise ValueError(f"{address!r} is no address; write host:port, as 0.0.0.0:8443")
    return parts.hostname or "", parts.port

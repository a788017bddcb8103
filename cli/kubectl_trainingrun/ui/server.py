"""Serves the pages to this machine's browser, and to nobody else.

Any web site can have a browser send requests to 127.0.0.1. So the Host header must name this very
server (a rebound DNS name does not), nothing can be changed by any request, and no other site may
frame or read what is answered.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from aiohttp import web

from kubectl_trainingrun.cluster import RUNS, Cluster, ClusterError, NotFoundError
from kubectl_trainingrun.doctor.gather import snapshot
from kubectl_trainingrun.exits import RefusedError
from kubectl_trainingrun.plot.course import Course, course
from kubectl_trainingrun.run_view import RunView
from kubectl_trainingrun.ui import pages

HOST: Final = "127.0.0.1"
STATIC: Final = Path(__file__).parent / "static"
NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Pages:
    """The pages of one cluster."""

    def __init__(
        self,
        cluster: Callable[[str], Cluster],
        *,
        everywhere: bool,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`cluster` gives the cluster for a namespace, "" for the user's own choice."""
        self._cluster = cluster
        self._everywhere = everywhere
        self._clock = clock

    def application(self) -> web.Application:
        """The application to serve on `HOST`."""
        app = web.Application(middlewares=[_guarded])
        app.router.add_get("/", self._runs)
        app.router.add_get("/runs/{namespace}/{name}", self._run)
        for file in STATIC.iterdir():
            app.router.add_get(f"/{file.name}", _file(file))
        return app

    async def _runs(self, _request: web.Request) -> web.Response:
        found = await asyncio.to_thread(
            lambda: self._cluster("").select(RUNS, everywhere=self._everywhere)
        )
        return _answer(pages.runs_page(list(map(RunView.of, found)), self._clock()))

    async def _run(self, request: web.Request) -> web.Response:
        namespace, name = request.match_info["namespace"], request.match_info["name"]
        if not (NAME.fullmatch(namespace) and NAME.fullmatch(name)):
            raise web.HTTPNotFound(text=pages.error_page("No run has such a name."))
        cluster = self._cluster(namespace)
        seen, kept = await asyncio.gather(
            asyncio.to_thread(snapshot, cluster, name, self._clock()),
            asyncio.to_thread(_course, cluster, name),
        )
        return _answer(pages.run_page(seen, kept))


async def serve(app: web.Application, port: int, say: Callable[[str], None]) -> None:
    """Serve until cancelled; `say` is told the address.

    Raises:
        RefusedError: the port is taken.
    """
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, HOST, port).start()
        except OSError as error:
            raise RefusedError(
                f"port {port} cannot be used: {error.strerror}; give another by --port"
            ) from error
        say(f"http://{HOST}:{runner.addresses[0][1]}/")
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


@web.middleware
async def _guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    answer: web.StreamResponse
    try:
        answer = await handler(request) if _is_ours(request) else _strange()
    except web.HTTPException as refusal:
        answer = web.Response(
            status=refusal.status, text=refusal.text, content_type=_type(refusal.text or "")
        )
    except NotFoundError as error:
        answer = _answer(pages.error_page(str(error)), 404)
    except ClusterError as error:
        answer = _answer(pages.error_page(str(error)), 502)
    answer.headers.update(HEADERS)
    return answer


def _is_ours(request: web.Request) -> bool:
    sockname = request.transport.get_extra_info("sockname") if request.transport else None
    port = sockname[1] if sockname else None
    return request.host in {f"{HOST}:{port}", f"localhost:{port}"}


def _strange() -> web.Response:
    return web.Response(status=421, text="this page is for http://127.0.0.1 on this machine only")


def _type(text: str) -> str:
    return "text/html" if text.startswith("<!doctype html>") else "text/plain"


def _answer(html: str, status: int = 200) -> web.Response:
    return web.Response(status=status, text=html, content_type="text/html")


def _file(path: Path) -> Handler:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.FileResponse(path)

    return answer


def _course(cluster: Cluster, name: str) -> Course | None:
    try:
        return course(cluster, name)
    except (RefusedError, ClusterError):
        return None

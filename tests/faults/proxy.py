"""A reverse proxy between the operator and the API server that does what a script says."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from tests.api.server import ApiServer, free_port, write_kubeconfig
from tests.faults.faults import Call, Delay, Fault, Kill, Refuse, Reset, Script, Silence, never

WAIT_SECONDS = 60
WATCHED = frozenset({"trainingruns", "pytorchjobs", "pods"})
HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade", "host"})


class Interruption(Enum):
    """What can happen to the watches that are open; those begun later are sound."""

    EXPIRED = auto()
    RESET = auto()
    SILENT = auto()


@dataclass
class Proxy:
    """A running proxy. Its methods may be called from any thread."""

    upstream: str
    verify: ssl.SSLContext
    script: Script = never
    kill: Callable[[], None] = lambda: None
    calls: list[Call] = field(default_factory=list, repr=False)
    killed_at: list[Call] = field(default_factory=list)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def __post_init__(self) -> None:
        self._changed = threading.Condition()
        self._interruption: asyncio.Future[Interruption] = self.loop.create_future()

    def interrupt_watches(self, how: Interruption) -> None:
        """Do this to all watches that are open now."""
        self.loop.call_soon_threadsafe(self._interrupt, how)

    def until(self, holds: Callable[[list[Call]], bool], seconds: float = WAIT_SECONDS) -> None:
        """Wait until the calls so far fulfil a condition."""
        with self._changed:
            reached = self._changed.wait_for(lambda: holds(self.calls), seconds)
        assert reached, f"not so within {seconds} s; last calls: {self.calls[-20:]}"

    def quiet_for(self, seconds: float) -> bool:
        """Whether the operator asks for nothing in this time, but for watches."""

        def asked() -> bool:
            return any(call.verb != "watch" for call in self.calls[before:])

        before = len(self.calls)
        with self._changed:
            return not self._changed.wait_for(asked, seconds)

    def until_watching(self, since: int = 0) -> None:
        """Wait until everything the operator watches was asked for, from the call of this index."""
        self.until(
            lambda calls: {c.resource for c in calls[since:] if c.verb == "watch"} >= WATCHED
        )

    async def serve(self, port: int, context: ssl.SSLContext, ready: threading.Event) -> None:
        """Serve until cancelled."""
        connector = aiohttp.TCPConnector(ssl=self.verify, limit=0)
        timeout = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, auto_decompress=False
        ) as self._session:
            runner = web.ServerRunner(
                web.Server(self._handle, handler_cancellation=True), shutdown_timeout=0.1
            )
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
            ready.set()
            try:
                await asyncio.Event().wait()
            finally:
                await runner.cleanup()

    def _interrupt(self, how: Interruption) -> None:
        self._interruption.set_result(how)
        self._interruption = self.loop.create_future()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        call = Call.of(request.method, request.path, request.query, time.monotonic())
        fault = self.script(call)
        with self._changed:
            self.calls.append(call)
            self._changed.notify_all()
        match fault:
            case Refuse():
                return _refusal(fault)
            case Silence():
                await asyncio.Event().wait()
            case Reset(after=False):
                return _torn(request)
            case Kill(after=False):
                return self._killed(request, call)
            case Delay(seconds=seconds):
                await asyncio.sleep(seconds)
        try:
            return await self._forward(request, call, fault)
        except aiohttp.ClientError:
            return _torn(request)

    async def _forward(
        self, request: web.BaseRequest, call: Call, fault: Fault | None
    ) -> web.StreamResponse:
        headers = {k: v for k, v in request.headers.items() if k.lower() not in HOP_BY_HOP}
        headers["Accept-Encoding"] = "identity"
        async with self._session.request(
            request.method,
            self.upstream + request.raw_path,
            headers=headers,
            data=await request.read() or None,
        ) as answer:
            if isinstance(fault, Kill | Reset):
                await answer.read()
                return self._killed(request, call) if isinstance(fault, Kill) else _torn(request)
            passed = web.StreamResponse(
                status=answer.status,
                headers={k: v for k, v in answer.headers.items() if k.lower() not in HOP_BY_HOP},
            )
            await passed.prepare(request)
            if call.verb == "watch":
                await self._stream(request, answer.content, passed)
            else:
                await passed.write(await answer.read())
            await passed.write_eof()
            return passed

    def _killed(self, request: web.BaseRequest, call: Call) -> web.Response:
        self.killed_at.append(call)
        self.kill()
        return _torn(request)

    async def _stream(
        self, request: web.BaseRequest, source: aiohttp.StreamReader, sink: web.StreamResponse
    ) -> None:
        interruption = self._interruption
        while True:
            line = asyncio.ensure_future(source.readline())
            awaited: set[asyncio.Future[Any]] = {line, interruption}
            try:
                await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
                if interruption.done():
                    break
                if not await line:
                    return
            finally:
                line.cancel()
            await sink.write(line.result())
        match interruption.result():
            case Interruption.EXPIRED:
                status = _status(410, "Expired", "too old resource version")
                await sink.write(json.dumps({"type": "ERROR", "object": status}).encode() + b"\n")
            case Interruption.RESET:
                _torn(request)
            case Interruption.SILENT:
                await asyncio.Event().wait()


@contextlib.contextmanager
def proxied(server: ApiServer, folder: Path) -> Iterator[tuple[Proxy, ApiServer]]:
    """A proxy before the API server until the block ends, and the server as seen through it."""
    port = free_port()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    keys = server.authority.parent
    context.load_cert_chain(keys / "tls.crt", keys / "tls.key")
    proxy = Proxy(server.url, ssl.create_default_context(cafile=str(server.authority)))
    ready, url = threading.Event(), f"https://127.0.0.1:{port}"
    serving = proxy.loop.create_task(proxy.serve(port, context, ready))

    def run() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            proxy.loop.run_until_complete(serving)
        proxy.loop.close()

    thread = threading.Thread(target=run, name="fault proxy", daemon=True)
    thread.start()
    assert ready.wait(WAIT_SECONDS), "the proxy did not start"
    kubeconfig = write_kubeconfig(folder, url, server.token, server.authority)
    try:
        yield proxy, dataclasses.replace(server, url=url, kubeconfig=kubeconfig)
    finally:
        proxy.script = never
        proxy.loop.call_soon_threadsafe(serving.cancel)
        thread.join(WAIT_SECONDS)


def _torn(request: web.BaseRequest) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _refusal(fault: Refuse) -> web.Response:
    headers = {}
    if fault.retry_after_seconds is not None:
        headers["Retry-After"] = str(fault.retry_after_seconds)
    body = _status(fault.status, fault.reason, fault.message)
    return web.Response(
        body=json.dumps(body).encode(),
        status=fault.status,
        headers=headers,
        content_type="application/json",
    )


def _status(code: int, reason: str, message: str) -> dict[str, object]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }

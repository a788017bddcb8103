"""The running operator: kopf's watches, the work queue and the progress endpoint on one loop."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Final, Protocol

import kopf
from prometheus_client import CollectorRegistry, generate_latest

from trainingrun_operator import handlers, plan
from trainingrun_operator.clock import SteadyClock
from trainingrun_operator.cluster.protocol import (
    Cluster,
    ClusterError,
    SecretStore,
    Talkative,
    TokenReviewer,
    UnavailableError,
)
from trainingrun_operator.handlers import Memo, World
from trainingrun_operator.health import Health
from trainingrun_operator.keys import Key
from trainingrun_operator.metrics.runs import Runs
from trainingrun_operator.metrics.working import Vitals, Working
from trainingrun_operator.options import Options, Patience
from trainingrun_operator.progress import certificates
from trainingrun_operator.progress.identity import Identities
from trainingrun_operator.progress.keeper import HistoryKeeper
from trainingrun_operator.progress.server import ProgressServer, split_address
from trainingrun_operator.progress.store import ReportStore
from trainingrun_operator.reconciler import Reconciler
from trainingrun_operator.workqueue import WorkQueue

CERTIFICATE_CHECK_INTERVAL: Final = timedelta(hours=12)

logger = logging.getLogger(__name__)


class WholeCluster(Cluster, TokenReviewer, SecretStore, Talkative, Protocol):
    """All that the operator asks of a cluster."""


class Operator:
    """One operator. `serve` runs it to its end."""

    def __init__(
        self,
        options: Options,
        cluster: WholeCluster,
        clock: Callable[[], datetime] | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._options = options
        self._patience = patience or Patience()
        self._cluster = cluster
        self._clock = clock = clock or SteadyClock()
        self._settings = plan.Settings(
            image_cpu=options.image_cpu,
            image_xeon=options.image_xeon,
            progress_url=options.progress_url,
        )
        self._world = World()
        self._store = ReportStore()
        reconciler = Reconciler(self._world, cluster, self._store, lambda: self._settings, clock)
        self._registry = CollectorRegistry()
        working = Working(self._registry)
        cluster.tell_answers(working.answered)
        self._queue: WorkQueue[Key] = WorkQueue(
            working.timed(reconciler.reconcile), expected=ClusterError, peace=_peace
        )
        self._registry.register(Runs(self._world.runs, clock))
        self._memo = Memo(self._world, reconciler, self._queue)

    async def serve(
        self, stop: asyncio.Event | None = None, ready: asyncio.Event | None = None
    ) -> None:
        """Run until `stop`, SIGTERM or SIGINT.

        Raises:
            ClusterError: the endpoint's certificate cannot be had.
            Exception: a watch has died, or another fault that only a restart mends.
        """
        options = self._options
        async with AsyncExitStack() as stack:
            tasks = [asyncio.create_task(self._queue.run(), name="work queue")]
            health = Health(
                self._versions,
                self._world.versions,
                self._patience.audit_interval,
                self._patience.second_look,
                self._clock,
            )
            self._registry.register(Vitals(self._queue.due, health, self._clock))
            runner = await health.start(
                *split_address(options.health_address), lambda: generate_latest(self._registry)
            )
            stack.push_async_callback(runner.cleanup)
            tasks.append(asyncio.create_task(health.run(), name="watch audit"))
            if options.progress_url:
                context = certificates.server_context()
                await self._certify(context)
                runner = await self._progress_server().start(options.progress_address, context)
                stack.push_async_callback(runner.cleanup)
                tasks.append(asyncio.create_task(self._keep_certified(context)))
                keeper = HistoryKeeper(self._store, self._cluster, self._world, self._clock)
                tasks.append(asyncio.create_task(keeper.run(), name="histories"))
                stack.push_async_callback(keeper.close)
            watches = asyncio.create_task(self._watch(stop, ready), name="watches")
            stack.push_async_callback(_cancelled, [*tasks, watches])
            # The watches end when told to; anything else that ends has failed.
            done, _ = await asyncio.wait([*tasks, watches], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()

    async def _watch(self, stop: asyncio.Event | None, ready: asyncio.Event | None) -> None:
        namespaces = self._options.namespaces
        settings = handlers.settings(self._patience.watch_inactivity)
        # The observation of new namespaces needs rights that a namespaced operator has not.
        settings.scanning.disabled = bool(namespaces)
        await kopf.operator(
            registry=handlers.registry(),
            settings=settings,
            memo=self._memo,
            clusterwide=not namespaces,
            namespaces=namespaces,
            stop_flag=stop,
            ready_flag=ready,
        )

    def _progress_server(self) -> ProgressServer:
        identities = Identities(self._cluster, self._world, self._clock)
        return ProgressServer(
            identities, self._store, self._world.uid, self._queue.wake, self._clock
        )

    async def _certify(self, context: ssl.SSLContext) -> None:
        options = self._options
        bundle = await certificates.ensure(
            self._cluster, options.namespace, options.progress_host, self._clock
        )
        certificates.load(context, bundle)
        self._settings = plan.Settings(
            image_cpu=options.image_cpu,
            image_xeon=options.image_xeon,
            progress_url=options.progress_url,
            progress_ca=bundle.authority.decode(),
        )

    async def _keep_certified(self, context: ssl.SSLContext) -> None:
        while True:
            await asyncio.sleep(CERTIFICATE_CHECK_INTERVAL.total_seconds())
            try:
                await self._certify(context)
            except ClusterError as error:
                logger.warning("the certificate is looked at again later: %s", error)

    async def _versions(self) -> dict[Key, str]:
        found: dict[Key, str] = {}
        for namespace in self._options.namespaces or (None,):
            found |= await self._cluster.run_versions(namespace)
        return found


def _peace(error: Exception) -> timedelta:
    """For how long the API server asks to be left alone."""
    return error.retry_after if isinstance(error, UnavailableError) else timedelta()


async def _cancelled(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

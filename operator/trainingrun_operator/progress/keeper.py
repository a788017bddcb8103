"""Writes the histories to ConfigMaps: seldom while runs train, and once more when they end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from pydantic import ValidationError

from trainingrun_operator.api.conditions import Phase
from trainingrun_operator.api.history import DATA_KEY, History, config_map_name
from trainingrun_operator.api.v1alpha1 import (
    API_VERSION,
    KIND,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    RUN_LABEL,
)
from trainingrun_operator.cluster.protocol import ClusterError, Manifest, NameTakenError
from trainingrun_operator.keys import Key
from trainingrun_operator.lifecycle.observed import parse_status
from trainingrun_operator.progress.series import joined
from trainingrun_operator.progress.store import ReportStore

LOOK_INTERVAL: Final = timedelta(seconds=5)
FIRST_WRITE: Final = timedelta(seconds=15)
"""After the first report: from then on there is something to plot, whatever becomes of us."""
SHORTEST_INTERVAL: Final = timedelta(minutes=1)
LONGEST_INTERVAL: Final = timedelta(minutes=10)
SHARE_OF_COURSE: Final = 1 / 20
"""The longer a run is, the less one more point of it changes, and the less often it is written."""
LAST_WRITES: Final = timedelta(seconds=10)
"""Of the grace period of 30 s that the kubelet gives the operator."""
ENDS: Final = frozenset({Phase.SUCCEEDED, Phase.FAILED})

logger = logging.getLogger(__name__)


class HistoryMaps(Protocol):
    """Where histories are kept."""

    async def config_map(self, namespace: str, name: str) -> Manifest | None:
        """A ConfigMap, None if there is none."""

    async def apply(self, manifest: Manifest, owner_uid: str) -> Manifest:
        """Have it as given; as `Cluster.apply`."""


class Runs(Protocol):
    """The runs as the watches show them."""

    def run(self, key: Key) -> Mapping[str, Any] | None:
        """The raw TrainingRun."""


@dataclass
class Kept:
    """What is known of one run's ConfigMap."""

    uid: str
    since: datetime
    """When the first change was seen that is not written yet."""
    written: History | None = None
    earlier: History | None = None
    """What an operator before this one has written; None until it was looked up."""
    refused: bool = False


class HistoryKeeper:
    """Keeps the histories of the reports in a store."""

    def __init__(
        self,
        store: ReportStore,
        maps: HistoryMaps,
        runs: Runs,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._maps = maps
        self._runs = runs
        self._clock = clock
        self._kept: dict[Key, Kept] = {}

    async def run(self) -> None:
        """Write what is due until cancelled."""
        while True:
            await asyncio.sleep(LOOK_INTERVAL.total_seconds())
            await self.write()

    async def close(self) -> None:
        """Write what is not written yet, as far as that goes quickly."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WRITES.total_seconds()):
                await self.write(all_changed=True)

    async def write(self, *, all_changed: bool = False) -> None:
        """Write the histories that are due, or all that have changed. Never raises."""
        histories = self._store.histories()
        self._kept = {key: kept for key, kept in self._kept.items() if key in histories}
        for key, (uid, history) in histories.items():
            run = self._runs.run(key)
            if run is None or run["metadata"]["uid"] != uid:
                continue
            now = self._clock()
            kept = self._kept.get(key)
            if kept is None or kept.uid != uid:
                kept = self._kept[key] = Kept(uid, now)
            over = parse_status(run).phase in ENDS
            if history is kept.written or kept.refused:
                kept.since = now
            elif over or all_changed or now - kept.since >= _interval(kept, history):
                await self._write(key, kept, history, now)
            if over and (history is kept.written or kept.refused):
                self._store.drop_history(key)

    async def _write(self, key: Key, kept: Kept, history: History, now: datetime) -> None:
        try:
            if kept.earlier is None:
                kept.earlier = await self._earlier(key, kept.uid)
            manifest = _config_map(key, kept.uid, joined(kept.earlier, history))
            await self._maps.apply(manifest, kept.uid)
        except NameTakenError as error:
            logger.warning("%s: its history is not kept: %s", key, error)
            kept.refused = True
        except ClusterError as error:
            logger.warning("%s: its history is written later: %s", key, error)
        else:
            kept.written, kept.since = history, now

    async def _earlier(self, key: Key, uid: str) -> History:
        there = await self._maps.config_map(key.namespace, config_map_name(key.name))
        owners = there["metadata"].get("ownerReferences") or () if there else ()
        if there is None or all(owner["uid"] != uid for owner in owners):
            return History()
        try:
            return History.model_validate_json((there.get("data") or {}).get(DATA_KEY, "{}"))
        except ValidationError:
            logger.warning("%s: what was kept of its history cannot be read", key)
            return History()


def _interval(kept: Kept, history: History) -> timedelta:
    if kept.written is None:
        return FIRST_WRITE
    course = timedelta(seconds=history.points[-1].at - history.points[0].at)
    return min(max(course * SHARE_OF_COURSE, SHORTEST_INTERVAL), LONGEST_INTERVAL)


def _config_map(key: Key, uid: str, history: History) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": config_map_name(key.name),
            "namespace": key.namespace,
            "labels": {RUN_LABEL: key.name, MANAGED_BY_LABEL: MANAGED_BY},
            "ownerReferences": [
                {
                    "apiVersion": API_VERSION,
                    "kind": KIND,
                    "name": key.name,
                    "uid": uid,
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "data": {DATA_KEY: history.model_dump_json(by_alias=True)},
    }

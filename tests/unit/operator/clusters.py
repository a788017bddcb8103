"""A cluster in memory, for what stands above the API server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from trainingrun_operator.cluster.protocol import (
    ClusterError,
    ConflictError,
    ForbiddenError,
    Manifest,
)
from trainingrun_operator.keys import Key
from trainingrun_operator.lifecycle.events import Event
from trainingrun_operator.lifecycle.observed import Job, Pod

KEY = Key("ml", "squad")


@dataclass
class Clock:
    """Time that stands until it is moved."""

    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class FakeCluster:
    """Keeps what it is told. What the watches show is `World`'s, and lags until `show`."""

    run: dict[str, Any]
    claims: dict[str, str] = field(default_factory=dict)
    config_maps: dict[str, Manifest] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    priority_classes: set[str] = field(default_factory=set)
    quota_list: list[dict[str, Any]] = field(default_factory=list)
    warning: str | None = None
    forbidden: set[str] = field(default_factory=set)
    events: list[Event] = field(default_factory=list)
    apply_error: ClusterError | None = None
    adjust_error: ClusterError | None = None
    version: int = 1

    async def apply(self, manifest: Manifest, owner_uid: str) -> Manifest:
        self.calls.append(f"apply {manifest['kind']}")
        if self.apply_error is not None:
            raise self.apply_error
        made = json.loads(json.dumps(manifest))
        made["metadata"]["uid"] = f"{manifest['kind']}-uid"
        if manifest["kind"] == "ConfigMap":
            self.config_maps[manifest["metadata"]["name"]] = made
        return dict(made)

    async def adjust_job(self, key: Key, workers: int, *, suspend: bool) -> None:
        self.calls.append(f"adjust {workers} {suspend}")
        if self.adjust_error is not None:
            raise self.adjust_error

    async def delete_job(self, key: Key, uid: str) -> None:
        self.calls.append(f"delete job {uid}")

    async def suspend_rendezvous(self, namespace: str, name: str, *, suspend: bool) -> None:
        self.calls.append(f"suspend rendezvous {name} {suspend}")

    async def delete_rendezvous(self, namespace: str, name: str) -> None:
        self.calls.append(f"delete rendezvous {name}")

    async def delete_pod(self, namespace: str, name: str, uid: str, *, at_once: bool) -> None:
        self.calls.append(f"delete pod {name} {uid}{' at once' if at_once else ''}")

    async def delete_run(self, key: Key, uid: str) -> None:
        self.calls.append(f"delete run {uid}")

    async def claim_phase(self, namespace: str, name: str) -> str | None:
        self._ask(f"read {name}")
        return self.claims.get(name)

    async def has_priority_class(self, name: str) -> bool:
        self._ask(f"read {name}")
        return name in self.priority_classes

    async def quotas(self, namespace: str) -> list[dict[str, Any]]:
        self._ask("list quotas")
        return self.quota_list

    async def last_warning(self, namespace: str, uid: str) -> str | None:
        self._ask(f"list warnings of {uid}")
        return self.warning

    def _ask(self, what: str) -> None:
        self.calls.append(what)
        if what in self.forbidden:
            raise ForbiddenError(f"{what}: forbidden")

    async def config_map(self, namespace: str, name: str) -> Manifest | None:
        self.calls.append(f"read {name}")
        return self.config_maps.get(name)

    async def write_status(
        self, key: Key, resource_version: str, status: Mapping[str, Any]
    ) -> Manifest:
        self.calls.append(f"status {status['phase']}")
        if resource_version != str(self.version):
            raise ConflictError("changed")
        self.version += 1
        metadata = {**self.run["metadata"], "resourceVersion": str(self.version)}
        self.run = {**self.run, "metadata": metadata, "status": dict(status)}
        return self.run

    async def emit(self, key: Key, uid: str, event: Event) -> None:
        self.calls.append(f"event {event.reason}")
        self.events.append(event)

    async def run_versions(self, namespace: str | None) -> Mapping[Key, str]:
        return {KEY: str(self.version)}


@dataclass
class FakeWorld:
    """What the watches show."""

    shown: Mapping[str, Any] | None = None
    shown_job: Job | None = None
    shown_pods: tuple[Pod, ...] = ()

    def run(self, key: Key) -> Mapping[str, Any] | None:
        return self.shown

    def job(self, key: Key) -> Job | None:
        return self.shown_job

    def pods(self, key: Key) -> tuple[Pod, ...]:
        return self.shown_pods

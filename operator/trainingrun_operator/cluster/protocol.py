"""What the operator asks of a cluster, and how a cluster says no."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from trainingrun_operator.keys import Key
from trainingrun_operator.lifecycle.events import Event

Manifest = Mapping[str, Any]


class ClusterError(Exception):
    """The API server did not do what it was asked. The message is fit for a user."""


class UnavailableError(ClusterError):
    """It could not be reached, or asks to be left alone for now.

    `retry_after` is for how long it asks so, nothing if it does not say.
    """

    def __init__(self, message: str, retry_after: timedelta = timedelta()) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ConflictError(ClusterError):
    """The object has changed since it was read."""


class GoneError(ClusterError):
    """The object does not exist."""


class NameTakenError(ClusterError):
    """An object of this name exists and has another owner."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"{kind} {name} exists and has another owner")
        self.kind = kind
        self.name = name


class RefusedError(ClusterError):
    """The API server or an admission webhook refuses the object as it is."""


class ForbiddenError(ClusterError):
    """The operator's service account may not do this."""


@dataclass(frozen=True)
class Caller:
    """Who holds a token: the pod it was made for."""

    namespace: str
    pod_name: str
    pod_uid: str


@dataclass(frozen=True)
class Secret:
    """A secret's data, and the version it was read at."""

    data: Mapping[str, bytes]
    resource_version: str


class Cluster(Protocol):
    """Every method raises `ClusterError`, and takes no longer than its time-out."""

    async def apply(self, manifest: Manifest, owner_uid: str) -> Manifest:
        """Have the object as given, and return it as it is.

        Raises:
            NameTakenError: it exists and is not controlled by `owner_uid`; it is left alone.
            RefusedError, ForbiddenError: it cannot be so.
        """

    async def adjust_job(self, key: Key, workers: int, *, suspend: bool) -> None:
        """Set the two fields of a PyTorchJob that may change while it lives."""

    async def delete_job(self, key: Key, uid: str) -> None:
        """Delete this very PyTorchJob after its pods; nothing happens if it is gone."""

    async def suspend_rendezvous(self, namespace: str, name: str, *, suspend: bool) -> None:
        """Stop the pod of a rendezvous, or start it again; nothing happens if its Job is gone."""

    async def delete_rendezvous(self, namespace: str, name: str) -> None:
        """Delete the Job of a rendezvous with its pod; nothing happens if it is gone."""

    async def delete_pod(self, namespace: str, name: str, uid: str, *, at_once: bool) -> None:
        """Delete this very pod, in its grace period or at once without its node's consent.

        Nothing happens if it is gone.
        """

    async def delete_run(self, key: Key, uid: str) -> None:
        """Delete this very TrainingRun; nothing happens if it is gone."""

    async def claim_phase(self, namespace: str, name: str) -> str | None:
        """The phase of a PersistentVolumeClaim, None if there is none."""

    async def has_priority_class(self, name: str) -> bool:
        """Whether the cluster has a PriorityClass.

        Raises:
            ForbiddenError: this operator may not ask.
        """

    async def quotas(self, namespace: str) -> Sequence[Manifest]:
        """The ResourceQuotas of a namespace.

        Raises:
            ForbiddenError: this operator may not ask.
        """

    async def last_warning(self, namespace: str, uid: str) -> str | None:
        """The newest warning that was told of an object, None if there is none.

        Raises:
            ForbiddenError: this operator may not ask.
        """

    async def config_map(self, namespace: str, name: str) -> Manifest | None:
        """A ConfigMap, None if there is none."""

    async def write_status(
        self, key: Key, resource_version: str, status: Mapping[str, Any]
    ) -> Manifest:
        """Replace what we have said of a run, if it is still at this version, and return it.

        Raises:
            ConflictError: it is not.
            GoneError: the run is gone.
        """

    async def emit(self, key: Key, uid: str, event: Event) -> None:
        """Tell an event of a run, once."""

    async def run_versions(self, namespace: str | None) -> Mapping[Key, str]:
        """The resourceVersion of every run in a namespace, or in all."""


class Talkative(Protocol):
    """Tells of its requests."""

    def tell_answers(self, told: Callable[[str, int], None]) -> None:
        """Have `told` called with the method and status code of each answer from now on."""


class TokenReviewer(Protocol):
    """Tells who holds a token."""

    async def review_token(self, token: str, audience: str) -> Caller | None:
        """The pod that a token of this audience was made for, None if it is worth nothing."""


class SecretStore(Protocol):
    """Reads and writes secrets in the operator's own namespace."""

    async def read_secret(self, namespace: str, name: str) -> Secret | None:
        """The secret, None if there is none."""

    async def write_secret(
        self, namespace: str, name: str, data: Mapping[str, bytes], resource_version: str
    ) -> None:
        """Make a secret (empty version) or replace the one that was read.

        Raises:
            ConflictError: somebody else did so in between.
        """

"""The cluster over lightkube: the one class that talks to the API server about runs."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Final

import httpx2
from lightkube import ApiError, AsyncClient, KubeConfig, codecs
from lightkube.config.kubeconfig import SingleConfig
from lightkube.generic_resource import GenericNamespacedResource, create_namespaced_resource
from lightkube.models.authentication_v1 import TokenReviewSpec
from lightkube.resources.authentication_v1 import TokenReview
from lightkube.resources.batch_v1 import Job
from lightkube.resources.core_v1 import ConfigMap, PersistentVolumeClaim, Pod, ResourceQuota
from lightkube.resources.core_v1 import Event as CoreEvent
from lightkube.resources.core_v1 import Secret as CoreSecret
from lightkube.resources.scheduling_v1 import PriorityClass
from lightkube.types import CascadeType, PatchType

from trainingrun_operator.api.v1alpha1 import API_VERSION, GROUP, KIND, PLURAL, VERSION
from trainingrun_operator.cluster.courtesy import Courtesy
from trainingrun_operator.cluster.errors import typed
from trainingrun_operator.cluster.protocol import (
    Caller,
    ConflictError,
    GoneError,
    Manifest,
    NameTakenError,
    Secret,
)
from trainingrun_operator.keys import Key
from trainingrun_operator.lifecycle.events import Event

FIELD_MANAGER: Final = "trainingrun-operator"
TIMEOUT: Final = httpx2.Timeout(30.0, connect=5.0)
LIST_CHUNK: Final = 500
_POD_NAME: Final = "authentication.kubernetes.io/pod-name"
_POD_UID: Final = "authentication.kubernetes.io/pod-uid"
_SERVICE_ACCOUNT: Final = "system:serviceaccount:"

TrainingRunResource = create_namespaced_resource(GROUP, VERSION, KIND, PLURAL)
PyTorchJobResource = create_namespaced_resource("kubeflow.org", "v1", "PyTorchJob", "pytorchjobs")


class KubernetesCluster:
    """`Cluster`, `TokenReviewer` and `SecretStore` on a real API server."""

    def __init__(self, config: SingleConfig | KubeConfig | None = None) -> None:
        """Without a config: the pod's service account, else the file that KUBECONFIG names."""
        self._client = AsyncClient(config, timeout=TIMEOUT, field_manager=FIELD_MANAGER)
        self._courtesy = Courtesy()

    def tell_answers(self, told: Callable[[str, int], None]) -> None:
        async def tell(answer: httpx2.Response) -> None:
            told(answer.request.method, answer.status_code)

        # lightkube 1.0 has no way to its HTTP client's hooks.
        inner: Any = self._client._client
        inner._client.event_hooks["response"].append(tell)

    async def close(self) -> None:
        """Close the connections."""
        # lightkube 1.0's AsyncClient has no close of its own.
        inner: Any = self._client._client
        await inner.close()

    async def apply(self, manifest: Manifest, owner_uid: str) -> Manifest:
        resource: Any = codecs.from_dict(_plain(manifest))
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        namespace = manifest["metadata"]["namespace"]
        with self._asking(f"make {kind} {name}"):
            try:
                # Created first, since a server-side apply would take over a stranger's object.
                return _as_dict(await self._client.create(resource))
            except ApiError as error:
                if error.status.reason != "AlreadyExists":
                    raise
            there = _as_dict(await self._client.get(type(resource), name, namespace=namespace))
            if not _controlled_by(there, owner_uid):
                raise NameTakenError(kind, name)
            applied = await self._client.patch(
                type(resource),
                name,
                _plain(manifest),
                namespace=namespace,
                patch_type=PatchType.APPLY,
                force=True,
            )
            return _as_dict(applied)

    async def adjust_job(self, key: Key, workers: int, *, suspend: bool) -> None:
        patch = {
            "spec": {
                "runPolicy": {"suspend": suspend},
                "pytorchReplicaSpecs": {"Worker": {"replicas": workers}},
            }
        }
        with self._asking(f"adjust PyTorchJob {key.name}"):
            await self._client.patch(
                PyTorchJobResource,
                key.name,
                patch,
                namespace=key.namespace,
                patch_type=PatchType.MERGE,
            )

    async def delete_job(self, key: Key, uid: str) -> None:
        # In the foreground: a job of the same name must not meet the pods of this one.
        await self._delete(PyTorchJobResource, key, uid, CascadeType.FOREGROUND)

    async def suspend_rendezvous(self, namespace: str, name: str, *, suspend: bool) -> None:
        patch = {"spec": {"suspend": suspend}}
        with suppress(GoneError), typed(f"adjust Job {name}"):
            await self._client.patch(
                Job, name, patch, namespace=namespace, patch_type=PatchType.MERGE
            )

    async def delete_rendezvous(self, namespace: str, name: str) -> None:
        with suppress(GoneError), typed(f"delete Job {name}"):
            await self._client.delete(
                Job, name, namespace=namespace, cascade=CascadeType.BACKGROUND
            )

    async def delete_run(self, key: Key, uid: str) -> None:
        await self._delete(TrainingRunResource, key, uid, CascadeType.BACKGROUND)

    async def delete_pod(self, namespace: str, name: str, uid: str, *, at_once: bool) -> None:
        try:
            with self._asking(f"read pod {name}"):
                there = await self._client.get(Pod, name, namespace=namespace)
            # As for `_delete`: a pod that was made anew under this name is another one.
            if there.metadata is None or there.metadata.uid != uid:
                return
            with self._asking(f"delete pod {name}"):
                await self._client.delete(
                    Pod, name, namespace=namespace, grace_period=0 if at_once else None
                )
        except GoneError:
            return

    async def claim_phase(self, namespace: str, name: str) -> str | None:
        try:
            with self._asking(f"read claim {name}"):
                claim = await self._client.get(PersistentVolumeClaim, name, namespace=namespace)
        except GoneError:
            return None
        return (claim.status.phase if claim.status else None) or "Pending"

    async def has_priority_class(self, name: str) -> bool:
        try:
            with self._asking(f"read priority class {name}"):
                await self._client.get(PriorityClass, name)
        except GoneError:
            return False
        return True

    async def quotas(self, namespace: str) -> Sequence[Manifest]:
        with self._asking(f"list the quotas of {namespace}"):
            return [
                _as_dict(quota)
                async for quota in self._client.list(ResourceQuota, namespace=namespace)
            ]

    async def last_warning(self, namespace: str, uid: str) -> str | None:
        told: dict[str, Any] = {"involvedObject.uid": uid, "type": "Warning"}
        with self._asking("list the warnings of a job"):
            events = [
                event
                async for event in self._client.list(CoreEvent, namespace=namespace, fields=told)
            ]
        newest = max(events, key=_last_seen, default=None)
        return None if newest is None else newest.message

    async def config_map(self, namespace: str, name: str) -> Manifest | None:
        try:
            with typed(f"read ConfigMap {name}"):
                return _as_dict(await self._client.get(ConfigMap, name, namespace=namespace))
        except GoneError:
            return None

    async def write_status(
        self, key: Key, resource_version: str, status: Mapping[str, Any]
    ) -> Manifest:
        body = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            # The version makes the write fail if the run has changed since it was read.
            "metadata": {"name": key.name, "resourceVersion": resource_version},
            "status": dict(status),
        }
        with self._asking(f"write the status of {key}"):
            written = await self._client.patch(
                TrainingRunResource.Status,
                key.name,
                body,
                namespace=key.namespace,
                patch_type=PatchType.APPLY,
                force=True,
            )
        return _as_dict(written)

    async def emit(self, key: Key, uid: str, event: Event) -> None:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        resource: Any = CoreEvent.from_dict(
            {
                "metadata": {"name": f"{key.name}.{event.id}", "namespace": key.namespace},
                "involvedObject": {
                    "apiVersion": API_VERSION,
                    "kind": KIND,
                    "namespace": key.namespace,
                    "name": key.name,
                    "uid": uid,
                },
                "type": event.type,
                "reason": event.reason,
                "message": event.message[:1024],
                "source": {"component": FIELD_MANAGER},
                "reportingComponent": FIELD_MANAGER,
                "reportingInstance": FIELD_MANAGER,
                "firstTimestamp": now,
                "lastTimestamp": now,
                "count": 1,
            }
        )
        try:
            with self._asking(f"tell event {event.reason} of {key}"):
                await self._client.create(resource)
        except ConflictError:
            return  # told before, by this operator or by the one it took over from

    async def run_versions(self, namespace: str | None) -> Mapping[Key, str]:
        found: dict[Key, str] = {}
        with self._asking("list runs"):
            async for run in self._client.list(
                TrainingRunResource, namespace=namespace or "*", chunk_size=LIST_CHUNK
            ):
                meta = run["metadata"]
                found[Key(meta["namespace"], meta["name"])] = meta["resourceVersion"]
        return found

    async def review_token(self, token: str, audience: str) -> Caller | None:
        review = TokenReview(spec=TokenReviewSpec(token=token, audiences=[audience]))
        with self._asking("review a token"):
            answer = (await self._client.create(review)).status
        if answer is None or not answer.authenticated or audience not in (answer.audiences or []):
            return None
        user = answer.user
        account = (user.username or "") if user else ""
        extra = (user.extra or {}) if user else {}
        names, uids = extra.get(_POD_NAME), extra.get(_POD_UID)
        if not account.startswith(_SERVICE_ACCOUNT) or not names or not uids:
            return None
        namespace = account.removeprefix(_SERVICE_ACCOUNT).split(":")[0]
        return Caller(namespace, names[0], uids[0])

    async def read_secret(self, namespace: str, name: str) -> Secret | None:
        try:
            with self._asking(f"read secret {name}"):
                secret = await self._client.get(CoreSecret, name, namespace=namespace)
        except GoneError:
            return None
        data = {k: base64.b64decode(v) for k, v in (secret.data or {}).items()}
        return Secret(data, (secret.metadata and secret.metadata.resourceVersion) or "")

    async def write_secret(
        self, namespace: str, name: str, data: Mapping[str, bytes], resource_version: str
    ) -> None:
        secret: Any = CoreSecret.from_dict(
            {
                "metadata": {"name": name, "namespace": namespace}
                | ({"resourceVersion": resource_version} if resource_version else {}),
                "type": "Opaque",
                "data": {k: base64.b64encode(v).decode() for k, v in data.items()},
            }
        )
        with self._asking(f"write secret {name}"):
            if resource_version:
                await self._client.replace(secret)
            else:
                await self._client.create(secret)

    @contextmanager
    def _asking(self, what: str) -> Iterator[None]:
        with self._courtesy.towards(what), typed(what):
            yield

    async def _delete(
        self, kind: type[GenericNamespacedResource], key: Key, uid: str, cascade: CascadeType
    ) -> None:
        try:
            with self._asking(f"read {kind.__name__} {key.name}"):
                there = await self._client.get(kind, key.name, namespace=key.namespace)
            # lightkube's delete takes no preconditions, so the UID is compared here.
            if there["metadata"]["uid"] != uid:
                return
            with self._asking(f"delete {kind.__name__} {key.name}"):
                await self._client.delete(kind, key.name, namespace=key.namespace, cascade=cascade)
        except GoneError:
            return


def _last_seen(event: CoreEvent) -> datetime:
    return event.lastTimestamp or event.eventTime or datetime.min.replace(tzinfo=UTC)


def _controlled_by(there: Manifest, uid: str) -> bool:
    owners = there["metadata"].get("ownerReferences") or ()
    return any(owner.get("controller") and owner["uid"] == uid for owner in owners)


def _as_dict(resource: Any) -> dict[str, Any]:
    return dict(resource.to_dict())


def _plain(manifest: Manifest) -> dict[str, Any]:
    return dict(manifest)

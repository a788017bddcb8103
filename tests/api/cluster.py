"""What a test does to a namespace of the API server: makes runs, and plays the controllers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
from lightkube import Client, codecs
from lightkube.resources.core_v1 import ConfigMap, Pod
from lightkube.types import PatchType

from tests.api.manifests import CLAIM, Object
from trainingrun_operator.api.v1alpha1 import MANAGED_BY, MANAGED_BY_LABEL, RUN_LABEL
from trainingrun_operator.cluster.kubernetes import PyTorchJobResource, TrainingRunResource

WAIT_SECONDS = 20
NOW = "2026-01-01T00:00:00Z"


@dataclass(frozen=True)
class Namespace:
    """One test's namespace."""

    client: Client
    http: httpx2.Client
    name: str
    patience_seconds: int = WAIT_SECONDS

    def create(self, manifest: Object) -> Object:
        """Make an object from its manifest."""
        manifest = {**manifest, "metadata": {**manifest["metadata"], "namespace": self.name}}
        made: Any = self.client.create(codecs.from_dict(manifest))  # type: ignore[type-var]
        return dict(made.to_dict())

    def make_claim(self, name: str = CLAIM) -> None:
        """The claim that `training_run` names."""
        self.create(
            {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": {"name": name},
                "spec": {
                    "accessModes": ["ReadWriteMany"],
                    "resources": {"requests": {"storage": "1Gi"}},
                },
            }
        )

    def run(self, name: str = "squad") -> Object:
        return dict(self.client.get(TrainingRunResource, name, namespace=self.name).to_dict())

    def job(self, name: str = "squad") -> Object:
        return dict(self.client.get(PyTorchJobResource, name, namespace=self.name).to_dict())

    def jobs(self) -> list[Object]:
        return [
            dict(j.to_dict()) for j in self.client.list(PyTorchJobResource, namespace=self.name)
        ]

    def config_map(self, name: str = "squad-config") -> Object:
        return dict(self.client.get(ConfigMap, name, namespace=self.name).to_dict())

    def until(self, holds: Callable[[Object], Any], name: str = "squad") -> Object:
        """Watch a run until `holds` of its status; the run as it then is."""
        last: Object = {}
        for last in self._watched("trainingrun.io/v1alpha1", "trainingruns", name):
            if holds(last.get("status") or {}):
                return last
        raise AssertionError(
            f"not so within {self.patience_seconds} s; last seen: {last.get('status')}"
        )

    def until_condition(self, kind: str, status: str, reason: str, name: str = "squad") -> Object:
        """Watch a run until a condition has this status and reason; the condition."""
        run = self.until(
            lambda s: _said(condition(s, kind)) == (status, reason),
            name,
        )
        return condition(run["status"], kind)

    def until_job(self, name: str = "squad") -> Object:
        """Watch until the run's PyTorchJob is there."""
        return self.until_there("kubeflow.org/v1", "pytorchjobs", name)

    def until_there(self, api_version: str, plural: str, name: str) -> Object:
        """Watch until an object is there."""
        for found in self._watched(api_version, plural, name):
            return found
        raise AssertionError(f"no {name} among {plural} within {self.patience_seconds} s")

    def until_jobs(self, number: int) -> None:
        """Watch until so many PyTorchJobs are there."""
        names: set[str] = set()
        for event in self._events("kubeflow.org/v1", "pytorchjobs", {}):
            names.add(event["object"]["metadata"]["name"])
            if len(names) >= number:
                return
        raise AssertionError(f"{len(names)} PyTorchJobs within {self.patience_seconds} s")

    def until_event(self, reason: str) -> None:
        """Watch until the operator has told an event; it does so after the status is written."""
        for event in self._events("v1", "events", {"reason": reason}):
            if event["type"] == "ADDED":
                return
        raise AssertionError(f"no event {reason} within {self.patience_seconds} s")

    def until_gone(self, name: str = "squad") -> None:
        """Watch until a run is deleted."""
        self._until_deleted("trainingrun.io/v1alpha1", "trainingruns", name)

    def _until_deleted(self, api_version: str, plural: str, name: str) -> None:
        """Watch until an object is deleted, which it may be already."""
        there = self.http.get(self._path(api_version, plural)).raise_for_status().json()
        if all(run["metadata"]["name"] != name for run in there["items"]):
            return
        selector, since = {"metadata.name": name}, there["metadata"]["resourceVersion"]
        for event in self._events(api_version, plural, selector, since):
            if event["type"] == "DELETED":
                return
        raise AssertionError(f"{name} is still there after {self.patience_seconds} s")

    def _watched(self, api_version: str, plural: str, name: str) -> Iterator[Object]:
        """An object's states, the present one first; its deletion is none."""
        for event in self._events(api_version, plural, {"metadata.name": name}):
            if event["type"] in {"ADDED", "MODIFIED"}:
                yield event["object"]

    def _events(
        self, api_version: str, plural: str, fields: dict[str, str], since: str = ""
    ) -> Iterator[Object]:
        """What a watch of the objects with these fields shows until patience ends."""
        # lightkube's own watch begins anew when the server ends it, and so would wait for ever.
        query = {
            "watch": "true",
            "fieldSelector": ",".join(f"{field}={value}" for field, value in fields.items()),
            "timeoutSeconds": self.patience_seconds,
            **({"resourceVersion": since} if since else {}),
        }
        timeout = self.patience_seconds + 10
        path = self._path(api_version, plural)
        with self.http.stream("GET", path, params=query, timeout=timeout) as answer:
            for line in answer.iter_lines():
                yield json.loads(line)

    def _path(self, api_version: str, plural: str) -> str:
        root = "apis" if "/" in api_version else "api"
        return f"/{root}/{api_version}/namespaces/{self.name}/{plural}"

    def set_job_status(self, *conditions: str, name: str = "squad") -> None:
        """Play the training operator: these conditions hold, no others."""
        body = {
            "status": {
                "replicaStatuses": {},
                "conditions": [
                    {
                        "type": kind,
                        "status": "True",
                        "reason": f"PyTorchJob{kind}",
                        "message": f"PyTorchJob {name} is {kind}.",
                        "lastTransitionTime": NOW,
                        "lastUpdateTime": NOW,
                    }
                    for kind in conditions
                ],
            }
        }
        self.client.patch(
            PyTorchJobResource.Status, name, body, namespace=self.name, patch_type=PatchType.MERGE
        )

    def make_pod(self, index: int, run: str = "squad") -> Object:
        """Play the training operator: one worker's pod, with the labels of the job's template."""
        job = self.job(run)
        template = job["spec"]["pytorchReplicaSpecs"]["Worker"]["template"]
        labels = {
            MANAGED_BY_LABEL: MANAGED_BY,
            RUN_LABEL: run,
            "training.kubeflow.org/replica-index": str(index),
        }
        assert template["metadata"]["labels"].items() >= {RUN_LABEL: run}.items()
        assert template["metadata"]["labels"][MANAGED_BY_LABEL] == MANAGED_BY
        owner = {
            "apiVersion": "kubeflow.org/v1",
            "kind": "PyTorchJob",
            "name": run,
            "uid": job["metadata"]["uid"],
            "controller": True,
        }
        return self.create(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "name": f"{run}-worker-{index}",
                    "labels": labels,
                    "ownerReferences": [owner],
                },
                "spec": {
                    "serviceAccountName": "default",
                    "containers": [{"name": "pytorch", "image": "example.org/trainer:1"}],
                },
            }
        )

    def set_pod_state(self, index: int, phase: str, state: Object, run: str = "squad") -> None:
        """Play the kubelet."""
        container = {
            "name": "pytorch",
            "image": "example.org/trainer:1",
            "imageID": "",
            "ready": False,
            "restartCount": 0,
            "state": state,
        }
        self.client.patch(
            Pod.Status,
            f"{run}-worker-{index}",
            {"status": {"phase": phase, "containerStatuses": [container]}},
            namespace=self.name,
            patch_type=PatchType.MERGE,
        )

    def start_workers(self, count: int = 2) -> None:
        """Play training operator and kubelet: the job and its pods run."""
        for index in range(count):
            self.make_pod(index)
            self.set_pod_state(index, "Running", {"running": {"startedAt": NOW}})
        self.set_job_status("Created", "Running")

    def end_worker(self, index: int, exit_code: int, message: str) -> None:
        """Play the kubelet: a worker ends with this termination message."""
        ended = {
            "exitCode": exit_code,
            "reason": "Error" if exit_code else "Completed",
            "message": message,
            "startedAt": NOW,
            "finishedAt": NOW,
        }
        phase = "Failed" if exit_code else "Succeeded"
        self.set_pod_state(index, phase, {"terminated": ended})

    def end_run_with(self, message: str) -> None:
        """Play all others: the one worker trains and succeeds with this termination message."""
        self.make_pod(0)
        self.end_worker(0, 0, message)
        self.set_job_status("Created", "Succeeded")

    def pod_token(self, index: int, audience: str, run: str = "squad") -> str:
        """A token of the pod's service account, bound to the pod, as the kubelet projects it."""
        pod = self.client.get(Pod, f"{run}-worker-{index}", namespace=self.name)
        bound = {
            "apiVersion": "v1",
            "kind": "Pod",
            "name": f"{run}-worker-{index}",
            "uid": pod.metadata.uid if pod.metadata else "",
        }
        return self.account_token("default", audiences=[audience], boundObjectRef=bound)

    def account_token(self, account: str, **spec: Any) -> str:
        """A token of a service account."""
        answer = self.http.post(
            f"/api/v1/namespaces/{self.name}/serviceaccounts/{account}/token",
            json={"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec},
        )
        return str(answer.raise_for_status().json()["status"]["token"])

    def make_account(self, name: str) -> None:
        """A service account."""
        self.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}})

    def events(self) -> list[Object]:
        """The events of the namespace, as far as they are the operator's."""
        answer = self.http.get(f"/api/v1/namespaces/{self.name}/events").raise_for_status()
        events: list[Object] = answer.json()["items"]
        return [e for e in events if e["source"].get("component") == "trainingrun-operator"]

    def edit_run(self, patch: Object, name: str = "squad") -> None:
        """Change a run as a user would."""
        self.client.patch(
            TrainingRunResource, name, patch, namespace=self.name, patch_type=PatchType.MERGE
        )

    def forbid_jobs(self) -> None:
        """A quota of no PyTorchJobs."""
        none = {"count/pytorchjobs.kubeflow.org": "0"}
        self.set_quota(none, none, name="no-jobs")

    def set_quota(self, hard: Object, used: Object, name: str = "team") -> None:
        """A quota, with the status that a controller would give it."""
        path = f"/api/v1/namespaces/{self.name}/resourcequotas"
        quota = {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": name},
            "spec": {"hard": hard},
        }
        if self.http.get(f"{path}/{name}").status_code == 404:
            self.http.post(path, json=quota).raise_for_status()
        self.http.patch(
            f"{path}/{name}/status",
            json={"status": {"hard": hard, "used": used}},
            headers={"Content-Type": "application/merge-patch+json"},
        ).raise_for_status()

    def make_priority_class(self, name: str) -> None:
        """A priority class, which belongs to the whole cluster."""
        body = {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": name},
            "value": 1,
        }
        path = "/apis/scheduling.k8s.io/v1/priorityclasses"
        self.http.post(path, json=body).raise_for_status()

    def warn_of_job(self, job: Object, message: str) -> None:
        """Play the training operator, which cannot make a pod."""
        meta = job["metadata"]
        self.create(
            {
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": {"name": f"{meta['name']}.failed"},
                "type": "Warning",
                "reason": "FailedCreatePod",
                "message": message,
                "lastTimestamp": NOW,
                "involvedObject": {
                    "apiVersion": "kubeflow.org/v1",
                    "kind": "PyTorchJob",
                    "name": meta["name"],
                    "namespace": self.name,
                    "uid": meta["uid"],
                },
            }
        )

    def collect_job(self, name: str = "squad") -> None:
        """Play the garbage collector: the job's pods are gone, and the job may go."""
        for index in range(2):
            self.delete_pod(index, name)
        self.client.patch(
            PyTorchJobResource,
            name,
            {"metadata": {"finalizers": None}},
            namespace=self.name,
            patch_type=PatchType.MERGE,
        )

    def evict_pod(self, index: int, grace_seconds: int, run: str = "squad") -> None:
        """Delete a pod whose node is lost: it stays until somebody insists."""
        name = f"{run}-worker-{index}"
        # Only the end of a pod on a node waits for that node.
        self.http.post(
            f"/api/v1/namespaces/{self.name}/pods/{name}/binding",
            json={
                "apiVersion": "v1",
                "kind": "Binding",
                "metadata": {"name": name},
                "target": {"kind": "Node", "name": "lost"},
            },
        ).raise_for_status()
        self.client.delete(Pod, name, namespace=self.name, grace_period=grace_seconds)

    def until_pod_gone(self, index: int, run: str = "squad") -> None:
        """Watch until a pod is deleted."""
        name = f"{run}-worker-{index}"
        self._until_deleted("v1", "pods", name)

    def delete_pod(self, index: int, run: str = "squad") -> None:
        """Play the kubelet and the API server: a pod goes at once."""
        self.client.delete(Pod, f"{run}-worker-{index}", namespace=self.name, grace_period=0)


def condition(status: Object, kind: str) -> Object:
    """A condition of a status; {} if there is none."""
    return next((c for c in status.get("conditions", ()) if c["type"] == kind), {})


def _said(found: Object) -> tuple[Any, Any]:
    return found.get("status"), found.get("reason")

"""What must hold after every fault, whatever it was."""

from __future__ import annotations

import json
import re
import threading
from collections import defaultdict
from typing import Any

import httpx2

from tests.api.cluster import Namespace
from tests.api.manifests import Object
from trainingrun_operator.api.v1alpha1 import MANAGED_BY, MANAGED_BY_LABEL

RUNS = "/apis/trainingrun.io/v1alpha1"
CHILDREN = (
    "/apis/kubeflow.org/v1/namespaces/{}/pytorchjobs",
    "/api/v1/namespaces/{}/configmaps",
    "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
)
STRANGERS_NAME = "strangers"
ENDPOINT = re.compile(r"127\.0\.0\.1:\d+")
NOT_COMPARED = frozenset({"status", "apiVersion", "kind"})


class Witness:
    """Sees every state of every run of a namespace, and what was a stranger's at the beginning."""

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._seen: dict[str, list[Object]] = defaultdict(list)
        self._stop = threading.Event()
        self._watching = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="witness", daemon=True)
        self._strangers = [_make_strangers_job(namespace), _make_strangers_map(namespace)]

    def __enter__(self) -> Witness:
        self._thread.start()
        assert self._watching.wait(20), "the witness sees nothing"
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(20)

    def _watch(self) -> None:
        path = f"{RUNS}/namespaces/{self._namespace.name}/trainingruns"
        http = self._namespace.http
        while not self._stop.is_set():
            try:
                # A list after each second of watching: an outage may eat a watch, not the state.
                for run in http.get(path).raise_for_status().json()["items"]:
                    self._note(run)
                query = {"watch": "true", "timeoutSeconds": "1"}
                with http.stream("GET", path, params=query) as answer:
                    self._watching.set()
                    for line in answer.iter_lines():
                        event = json.loads(line)
                        if event["type"] in {"ADDED", "MODIFIED"}:
                            self._note(event["object"])
            except httpx2.HTTPError:
                self._stop.wait(0.1)

    def _note(self, run: Object) -> None:
        self._seen[run["metadata"]["uid"]].append(run)

    def check(self, *, restored: bool = False) -> None:
        """All invariants; with `restored`, the state itself went back, and only the end counts.

        Raises:
            AssertionError: one does not hold.
        """
        if not restored:
            for states in self._seen.values():
                _never_back_from_the_end(states)
        runs = _items(self._namespace, RUNS + "/namespaces/{}/trainingruns")
        _one_job_each(self._namespace, {run["metadata"]["uid"] for run in runs})
        _no_orphans(self._namespace, {run["metadata"]["uid"] for run in runs})
        for path, before in self._strangers:
            now = self._namespace.http.get(path).raise_for_status().json()
            assert now == before, f"a stranger's object was touched: {path}"


def end_state(namespace: Namespace, name: str = "squad") -> Object:
    """All that the operator has decided about a run, without times, versions and identities."""
    status = namespace.run(name)["status"]
    said = {c["type"]: (c["status"], c["reason"]) for c in status["conditions"]}
    children = {
        f"{child['kind']} {child['metadata']['name']}": _decided(child)
        for path in CHILDREN
        for child in _items(namespace, path)
        if child["metadata"]["name"].startswith(name)
    }
    kept = {key: status.get(key) for key in ("phase", "summary", "workers", "restarts", "attempt")}
    return {"conditions": said, "children": children, **kept}


def collect_garbage(namespace: Namespace) -> None:
    """Play the garbage collector: what is left of a run that is gone goes as well."""
    living = {
        run["metadata"]["uid"] for run in _items(namespace, RUNS + "/namespaces/{}/trainingruns")
    }
    for path in CHILDREN:
        for child in _items(namespace, path):
            owner = _owner(child)
            if owner is not None and owner not in living:
                where = f"{path.format(namespace.name)}/{child['metadata']['name']}"
                namespace.http.delete(where).raise_for_status()


def _never_back_from_the_end(states: list[Object]) -> None:
    ended = None
    ordered = sorted(states, key=lambda run: int(run["metadata"]["resourceVersion"]))
    for state in ordered:
        conditions = state.get("status", {}).get("conditions", ())
        ends = {c["type"] for c in conditions if c["status"] == "True"} & {"Succeeded", "Failed"}
        assert ended is None or ends == ended, f"from {ended} back to {ends}: {state['status']}"
        ended = ends or None


def _one_job_each(namespace: Namespace, runs: set[str]) -> None:
    jobs = [job for job in _items(namespace, CHILDREN[0]) if _owner(job) is not None]
    owners = [_owner(job) for job in jobs if _owner(job) in runs]
    assert len(owners) == len(set(owners)), f"several PyTorchJobs of one run: {owners}"


def _no_orphans(namespace: Namespace, runs: set[str]) -> None:
    for path in CHILDREN:
        for child in _items(namespace, path):
            if child["metadata"].get("labels", {}).get(MANAGED_BY_LABEL) == MANAGED_BY:
                assert _owner(child) in runs, f"nobody owns {path} {child['metadata']['name']}"


def _decided(child: Object) -> Any:
    """A child without what differs from run to run: identities, the namespace, the endpoint."""
    plain = {key: value for key, value in child.items() if key not in NOT_COMPARED}
    plain.pop("metadata")
    plain = {**plain, "data": {k: v for k, v in plain.get("data", {}).items() if k != "ca.crt"}}
    text = json.dumps(plain).replace(_owner(child) or "no owner", "UID")
    text = text.replace(child["metadata"]["namespace"], "NAMESPACE")
    return json.loads(ENDPOINT.sub("ENDPOINT", text))


def _owner(child: Object) -> str | None:
    owners = child["metadata"].get("ownerReferences") or ()
    return next((str(o["uid"]) for o in owners if o["kind"] == "TrainingRun"), None)


def _items(namespace: Namespace, path: str) -> list[Object]:
    answer = namespace.http.get(path.format(namespace.name)).raise_for_status().json()
    kind = answer["kind"].removesuffix("List")
    return [{"kind": kind, **item} for item in answer["items"]]


def _make_strangers_job(namespace: Namespace) -> tuple[str, Object]:
    worker = {"template": {"spec": {"containers": [{"name": "pytorch", "image": "theirs"}]}}}
    namespace.create(
        {
            "apiVersion": "kubeflow.org/v1",
            "kind": "PyTorchJob",
            "metadata": {"name": STRANGERS_NAME},
            "spec": {"pytorchReplicaSpecs": {"Worker": worker}},
        }
    )
    return _as_it_is(namespace, f"{CHILDREN[0].format(namespace.name)}/{STRANGERS_NAME}")


def _make_strangers_map(namespace: Namespace) -> tuple[str, Object]:
    namespace.create(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": STRANGERS_NAME},
            "data": {"theirs": "yes"},
        }
    )
    return _as_it_is(namespace, f"{CHILDREN[1].format(namespace.name)}/{STRANGERS_NAME}")


def _as_it_is(namespace: Namespace, path: str) -> tuple[str, Object]:
    return path, namespace.http.get(path).raise_for_status().json()

"""What the cluster tests do to a cluster: a few verbs over kubectl."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from hack.kubectl import Kubectl

# Runs in a worker: sends a signal to the process of one rank, which carries its rank as its name.
_SIGNAL_RANK = """
import os, pathlib, sys
rank, number = sys.argv[1], int(sys.argv[2])
pids = [int(p.parent.name) for p in pathlib.Path("/proc").glob("[0-9]*/comm")
        if p.read_text().strip() == f"rank-{rank}"]
[os.kill(pid, number) for pid in pids]
print(len(pids))
"""


class NotSoInTimeError(AssertionError):
    """What a test waited for did not come; carries the last state seen."""


@dataclass(frozen=True)
class Run:
    """A TrainingRun as it was last seen."""

    body: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.body["metadata"]["name"])

    @property
    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = self.body.get("status") or {}
        return status

    @property
    def phase(self) -> str | None:
        return self.status.get("phase")

    @property
    def step(self) -> int:
        return int((self.status.get("progress") or {}).get("step", 0))

    def condition(self, kind: str) -> dict[str, Any]:
        """The condition of this type; {} if there is none yet."""
        found = (c for c in self.status.get("conditions", ()) if c["type"] == kind)
        return next(found, {})


@dataclass(frozen=True)
class Cluster:
    """One cluster, reached by one kubeconfig file and no other."""

    kubectl: Kubectl

    def apply(self, manifests: str | Iterable[dict[str, Any]], namespace: str) -> None:
        """Apply every document, into `namespace`."""
        text = manifests if isinstance(manifests, str) else _as_yaml(manifests)
        self.kubectl("apply", "--namespace", namespace, "--filename", "-", stdin=text)

    def run(self, name: str, namespace: str) -> Run:
        found = self.kubectl.get("trainingrun", name, namespace)
        assert found is not None, f"TrainingRun {name} is gone"
        return Run(found)

    def until(
        self, name: str, namespace: str, holds: Callable[[Run], bool], what: str, seconds: int
    ) -> Run:
        """Watch a run until something holds of it.

        Raises:
            NotSoInTimeError: it did not within `seconds`.
        """
        last: Run | None = None
        for last in self._watched(name, namespace, seconds):
            if holds(last):
                return last
        raise NotSoInTimeError(f"{name}: not {what} within {seconds} s; last seen: {last}")

    def until_condition(
        self, name: str, namespace: str, kind: str, status: str, reason: str, seconds: int = 60
    ) -> Run:
        """Watch a run until a condition has this status and reason."""

        def holds(run: Run) -> bool:
            condition = run.condition(kind)
            return (condition.get("status"), condition.get("reason")) == (status, reason)

        return self.until(name, namespace, holds, f"{kind}={status} ({reason})", seconds)

    def until_ended(self, name: str, namespace: str, seconds: int) -> Run:
        """Watch a run to its end, which must be success."""
        run = self.until(
            name, namespace, lambda r: r.phase in {"Succeeded", "Failed"}, "ended", seconds
        )
        assert run.phase == "Succeeded", run.status
        return run

    def until_gone(self, kind: str, name: str, namespace: str, seconds: int = 60) -> None:
        """Wait until an object does not exist."""
        self.kubectl(
            "wait", "--for=delete", f"{kind}/{name}", "--namespace", namespace,
            f"--timeout={seconds}s", seconds=seconds + 10,
        )  # fmt: skip

    def job_uids(self, namespace: str) -> set[str]:
        """The PyTorchJobs that exist now."""
        return self._uids("pytorchjobs", namespace)

    def until_jobs(self, number: int, namespace: str, seconds: int) -> None:
        """Watch until there are so many PyTorchJobs.

        Raises:
            NotSoInTimeError: there were not within `seconds`.
        """
        path = f"/apis/kubeflow.org/v1/namespaces/{namespace}/pytorchjobs"
        names: set[str] = set()
        for event in self._events(path, f"watch=true&timeoutSeconds={seconds}"):
            names.add(event["object"]["metadata"]["name"])
            if len(names) >= number:
                return
        raise NotSoInTimeError(f"{len(names)} of {number} PyTorchJobs within {seconds} s")

    def pod_uids(self, namespace: str, run: str) -> set[str]:
        """The pods of a run that exist now."""
        return self._uids("pods", namespace, "--selector", f"trainingrun.io/run={run}")

    def _uids(self, kind: str, namespace: str, *more: str) -> set[str]:
        found = json.loads(
            self.kubectl("get", kind, "--namespace", namespace, "--output=json", *more)
        )
        return {item["metadata"]["uid"] for item in found["items"]}

    def _watched(self, name: str, namespace: str, seconds: int) -> Iterator[Run]:
        """A run's states, the present one first, for so long."""
        path = f"/apis/trainingrun.io/v1alpha1/namespaces/{namespace}/trainingruns"
        query = f"watch=true&fieldSelector=metadata.name%3D{name}&timeoutSeconds={seconds}"
        for event in self._events(path, query):
            if event["type"] in {"ADDED", "MODIFIED"}:
                yield Run(event["object"])

    def _events(self, path: str, query: str) -> Iterator[dict[str, Any]]:
        """What a watch shows until it ends."""
        argv = self.kubectl.argv("get", "--raw", f"{path}?{query}")
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as watch:
            try:
                for line in watch.stdout or ():
                    yield json.loads(line)
            finally:
                watch.terminate()

    def signal_rank(self, pod: str, namespace: str, rank: int, number: int) -> None:
        """Send a signal to one rank in a worker."""
        found = self.kubectl(
            "exec", pod, "--namespace", namespace, "--container", "pytorch", "--",
            "python", "-c", _SIGNAL_RANK, str(rank), str(number),
        )  # fmt: skip
        assert int(found) == 1, f"{found.strip()} processes called rank-{rank} in {pod}"

    def exists(self, kind: str, name: str, namespace: str) -> bool:
        return bool(
            self.kubectl(
                "get", kind, name, "--namespace", namespace, "--ignore-not-found", "-oname"
            )
        )


def _as_yaml(manifests: Iterable[dict[str, Any]]) -> str:
    return yaml.safe_dump_all(manifests)

"""The cluster by way of kubectl, and so with the user's own configuration and credentials."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kubectl_trainingrun.cluster import ClusterError, ForbiddenError, NotFoundError, Object
from trainingrun_operator.api.v1alpha1 import RUN_LABEL

_LOG_REQUESTS: Final = 64
"""kubectl follows 5 pods at most unless told otherwise."""
_WORKER_0: Final = "training.kubeflow.org/replica-index=0"
_ERRORS: Final[Mapping[str, type[ClusterError]]] = {
    "(NotFound)": NotFoundError,
    "(Forbidden)": ForbiddenError,
}


@dataclass(frozen=True)
class Kubectl:
    """`Cluster` by kubectl. Empty options leave the choice to it."""

    namespace: str = ""
    context: str = ""
    kubeconfig: str = ""

    def get(self, kind: str, name: str) -> Object:
        found: Object = json.loads(self._said(["get", "--output=json", "--", kind, name]))
        return found

    def select(self, kind: str, *, selector: str = "", everywhere: bool = False) -> list[Object]:
        options = [f"--selector={selector}"] if selector else []
        if everywhere:
            options.append("--all-namespaces")
        found: list[Object] = json.loads(
            self._said(["get", "--output=json", *options, "--", kind])
        )["items"]
        return found

    def create(self, manifest: Mapping[str, Any]) -> Object:
        text = json.dumps(manifest)
        made: Object = json.loads(self._said(["create", "--output=json", "--filename=-"], text))
        return made

    def patch(self, kind: str, name: str, patch: Mapping[str, Any]) -> None:
        self._said(["patch", "--type=merge", f"--patch={json.dumps(patch)}", "--", kind, name])

    def logs(self, pod: str, *, tail: int) -> list[str]:
        return self._said(["logs", f"--tail={tail}", "--", pod]).splitlines()

    def watch(self, kind: str, name: str) -> Iterator[Object]:
        options = ["--output=json", "--watch", f"--field-selector=metadata.name={name}"]
        command = self.command(["get", *options, "--", kind])
        try:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        except OSError as error:
            raise _no_kubectl(error) from error
        with process:
            try:
                yield from _documents(process)
            finally:
                process.terminate()

    def logs_command(self, run: str, *, follow: bool, all_workers: bool) -> list[str]:
        """kubectl's argv. Rank 0 is on worker 0 and prints the training lines for all ranks."""
        selector = f"{RUN_LABEL}={run}" + ("" if all_workers else f",{_WORKER_0}")
        options = [f"--selector={selector}", "--tail=-1"]
        if all_workers:
            options += ["--prefix", f"--max-log-requests={_LOG_REQUESTS}"]
        return self.command(["logs", *options, *(["--follow"] if follow else [])])

    def command(self, words: list[str]) -> list[str]:
        """kubectl's argv with the options of all verbs.

        Joined by =, so that no value is taken for another option.
        """
        given = {
            "--namespace": self.namespace,
            "--context": self.context,
            "--kubeconfig": self.kubeconfig,
        }
        options = [f"{name}={value}" for name, value in given.items() if value]
        return ["kubectl", words[0], *options, *words[1:]]

    def _said(self, words: list[str], text: str | None = None) -> str:
        """What kubectl prints."""
        command = self.command(words)
        try:
            done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        except OSError as error:
            raise _no_kubectl(error) from error
        if done.returncode != 0:
            said = done.stderr.strip() or "kubectl failed"
            kind = next((kind for word, kind in _ERRORS.items() if word in said), ClusterError)
            raise kind(said)
        return done.stdout


def become(command: list[str]) -> int:
    """Hand the terminal over to kubectl; on success this process is kubectl from then on.

    Raises:
        ClusterError: there is no kubectl.
    """
    try:
        os.execvp(command[0], command)  # noqa: S606
    except OSError as error:
        raise _no_kubectl(error) from error


def _documents(process: subprocess.Popen[str]) -> Iterator[Object]:
    """The JSON objects that kubectl prints one after the other, each over several lines."""
    lines: list[str] = []
    for line in process.stdout or ():
        lines.append(line)
        if line.rstrip() == "}":
            yield json.loads("".join(lines))
            lines.clear()


def _no_kubectl(error: OSError) -> ClusterError:
    return ClusterError(f"kubectl cannot be started: {error.strerror}")

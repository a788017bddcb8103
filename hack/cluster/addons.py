"""What is installed into the running cluster: how it is applied, and recognised as applied."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from hack.cluster.kind import boots, instant, kubectl
from hack.shell import CommandFailed, Shell

MANAGER: Final = "trainingrun-hack"
HASH_ANNOTATION: Final = "hack.trainingrun.io/manifest-hash"
AVAILABLE_SECONDS: Final = 180


@dataclass(frozen=True)
class Addon:
    """Some manifests, and the one deployment among them that must come up.

    `selector` finds its pods.
    """

    namespace: str
    deployment: str
    selector: str

    def install(self, shell: Shell, manifests: str) -> None:
        """Apply the manifests and wait until the deployment is available."""
        shell.run(
            *kubectl("apply", "--server-side", "--force-conflicts"),
            *(f"--field-manager={MANAGER}", "--filename=-"),
            stdin=manifests,
        )
        shell.run(
            *kubectl("rollout", "status", f"deployment/{self.deployment}"),
            *("--namespace", self.namespace, f"--timeout={AVAILABLE_SECONDS}s"),
        )
        self.await_pods(shell)

    def await_pods(self, shell: Shell) -> None:
        """Wait until its pods are ready.

        Raises:
            TimedOut: they never were.
        """
        shell.wait_until(
            f"the pods of {self.namespace}/{self.deployment} are ready",
            lambda: self.pods_ready(shell),
            AVAILABLE_SECONDS,
        )

    def pods_ready(self, shell: Shell) -> bool:
        """Whether its pods are ready, and not just so before their node was restarted."""
        try:
            listed = shell.read(
                *kubectl("get", "pods", "--namespace", self.namespace, "--output=json"),
                f"--selector={self.selector}",
                timeout=20,
            )
            began = boots(shell)
        except CommandFailed:
            return False
        return fresh(json.loads(listed)["items"], began)

    def finish(self, shell: Shell, manifests: str) -> None:
        """Write down, on the deployment, that all this was installed and found working."""
        shell.run(
            *kubectl("annotate", "--overwrite", f"deployment/{self.deployment}"),
            *("--namespace", self.namespace, f"{HASH_ANNOTATION}={_hash(manifests)}"),
        )

    def installed(self, shell: Shell, manifests: str) -> bool:
        """Whether exactly these manifests are installed and the pods are ready."""
        path = HASH_ANNOTATION.replace(".", r"\.")
        column = f"{{.metadata.annotations.{path}}}"
        try:
            answer = shell.read(
                *kubectl("get", "deployment", self.deployment, "--namespace", self.namespace),
                *("--output", f"jsonpath={column}"),
                timeout=20,
            )
        except CommandFailed:
            return False
        return answer == _hash(manifests) and self.pods_ready(shell)


def fresh(pods: Sequence[Mapping[str, Any]], began: Mapping[str, datetime]) -> bool:
    """Whether there are pods and every container of theirs has become ready since its node began.

    After a restart the API server shows what nodes last told it: everything ready, for some
    seconds, where nothing runs yet.
    """
    containers = [
        (container, began.get(pod["spec"].get("nodeName", "")))
        for pod in pods
        for container in pod["status"].get("containerStatuses", [{}])
    ]
    return bool(containers) and all(
        container.get("ready", False)
        and start is not None
        and instant(container["state"]["running"]["startedAt"]) >= start
        for container, start in containers
    )


def _hash(manifests: str) -> str:
    return hashlib.sha256(manifests.encode()).hexdigest()[:16]

"""What is installed into the running cluster: how it is applied, and recognised as applied."""

import hashlib
from dataclasses import dataclass
from typing import Final

from hack.cluster.kind import kubectl
from hack.shell import CommandFailed, Shell

MANAGER: Final = "trainingrun-hack"
HASH_ANNOTATION: Final = "hack.trainingrun.io/manifest-hash"
AVAILABLE_SECONDS: Final = 180


@dataclass(frozen=True)
class Addon:
    """Some manifests, and the one deployment among them that must come up."""

    namespace: str
    deployment: str

    def install(self, shell: Shell, manifests: str) -> None:
        """Apply the manifests and wait until the deployment is available."""
        shell.run(
            *kubectl("apply", "--server-side", "--force-conflicts"),
            *(f"--field-manager={MANAGER}", "--filename=-"),
            stdin=manifests,
        )
        # Restarted nodes leave a deployment "available" that is not yet: `wait` asks again.
        shell.run(
            *kubectl("rollout", "status", f"deployment/{self.deployment}"),
            *("--namespace", self.namespace, f"--timeout={AVAILABLE_SECONDS}s"),
        )

    def finish(self, shell: Shell, manifests: str) -> None:
        """Write down, on the deployment, that all this was installed and found working."""
        shell.run(
            *kubectl("annotate", "--overwrite", f"deployment/{self.deployment}"),
            *("--namespace", self.namespace, f"{HASH_ANNOTATION}={_hash(manifests)}"),
        )

    def installed(self, shell: Shell, manifests: str) -> bool:
        """Whether exactly these manifests are installed and the deployment is available."""
        path = HASH_ANNOTATION.replace(".", r"\.")
        columns = f"{{.metadata.annotations.{path}}} {{.status.availableReplicas}}"
        try:
            answer = shell.read(
                *kubectl("get", "deployment", self.deployment, "--namespace", self.namespace),
                *("--output", f"jsonpath={columns}"),
                timeout=20,
            )
        except CommandFailed:
            return False
        return answer == f"{_hash(manifests)} 1"


def _hash(manifests: str) -> str:
    return hashlib.sha256(manifests.encode()).hexdigest()[:16]

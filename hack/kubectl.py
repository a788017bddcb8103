"""kubectl against one kubeconfig file, never the user's current context."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hack.cluster import binaries


class KubectlFailedError(AssertionError):
    """kubectl ended with an error; carries what it said."""


@dataclass(frozen=True)
class Kubectl:
    """kubectl for one cluster."""

    kubeconfig: Path

    def argv(self, *words: str) -> list[str]:
        """The whole command line."""
        program = binaries.ensure("kubectl")["kubectl"]
        return [str(program), "--kubeconfig", str(self.kubeconfig), *words]

    def __call__(self, *words: str, stdin: str | None = None, seconds: float = 60) -> str:
        """What kubectl prints on standard output.

        Raises:
            KubectlFailedError: it failed.
            subprocess.TimeoutExpired: it took longer than `seconds`.
        """
        done = subprocess.run(
            self.argv(*words),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if done.returncode != 0:
            raise KubectlFailedError(f"kubectl {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def get(self, kind: str, name: str, namespace: str) -> dict[str, Any] | None:
        """One object, or None if it is not there."""
        text = self(
            "get", kind, name, "--namespace", namespace, "--ignore-not-found", "--output=json"
        )
        found: dict[str, Any] | None = json.loads(text) if text.strip() else None
        return found

"""What the plugin asks of a cluster: everything by kubectl, with the user's own configuration."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any, Final

from trainingrun_operator.api.v1alpha1 import GROUP, PLURAL, RETRY_ANNOTATION, RUN_LABEL

_LOG_REQUESTS: Final = 64
"""kubectl follows 5 pods at most unless told otherwise."""


class KubectlError(Exception):
    """kubectl failed; carries what it said."""


def logs_command(name: str, options: list[str], *, follow: bool, all_workers: bool) -> list[str]:
    """kubectl's argv. Rank 0 is on worker 0 and prints the training lines for all ranks."""
    selector = f"{RUN_LABEL}={name}"
    if not all_workers:
        selector += ",training.kubeflow.org/replica-index=0"
    command = ["kubectl", "logs", *options, f"--selector={selector}", "--tail=-1"]
    if all_workers:
        command += ["--prefix", f"--max-log-requests={_LOG_REQUESTS}"]
    return [*command, "--follow"] if follow else command


def show_logs(command: list[str]) -> int:
    """Hand the terminal over to kubectl; on success this process is kubectl from then on.

    Raises:
        KubectlError: there is no kubectl.
    """
    try:
        os.execvp(command[0], command)  # noqa: S606
    except OSError as error:
        raise KubectlError(f"kubectl cannot be started: {error.strerror}") from error


def fetch(name: str, options: list[str]) -> dict[str, Any]:
    """A TrainingRun from the cluster.

    Raises:
        KubectlError: there is no such run, no cluster, or no kubectl.
    """
    command = ["kubectl", "get", *options, "--output=json", "--", f"{PLURAL}.{GROUP}", name]
    run: dict[str, Any] = json.loads(_said(command))
    return run


def ask_for_attempt(name: str, attempt: int, options: list[str]) -> None:
    """Annotate a TrainingRun, so that the operator begins this attempt.

    Raises:
        KubectlError: there is no such run, no cluster, no right to do so, or no kubectl.
    """
    annotation = f"{RETRY_ANNOTATION}={attempt}"
    target = ["--", f"{PLURAL}.{GROUP}", name, annotation]
    _said(["kubectl", "annotate", "--overwrite", *options, *target])


def _said(command: list[str]) -> str:
    """What kubectl prints.

    Raises:
        KubectlError: it fails, or there is none.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise KubectlError(f"kubectl cannot be started: {error.strerror}") from error
    if done.returncode != 0:
        raise KubectlError(done.stderr.strip() or "kubectl failed")
    return done.stdout

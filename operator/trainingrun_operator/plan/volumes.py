"""What is mounted into a worker, and where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from trainingrun_operator.api.v1alpha1 import TrainingRun
from trainingrun_operator.plan.settings import Settings

CONFIG_FOLDER: Final = "/etc/trainingrun"
TOKEN_FOLDER: Final = "/var/run/secrets/trainingrun.io"  # noqa: S105 - a path
TOKEN_FILE: Final = f"{TOKEN_FOLDER}/token"
SCRATCH_FOLDER: Final = "/scratch"
PROGRESS_AUDIENCE: Final = "trainingrun.io/progress"
"""A token for this audience is worth nothing at the API server."""
TOKEN_SECONDS: Final = 3600
"""The kubelet renews it at 80 % of this."""


@dataclass(frozen=True)
class Volume:
    """A volume and its one mount; `source` is the part of the core API's Volume beside the name."""

    name: str
    path: str
    source: dict[str, Any] = field(hash=False)
    read_only: bool = False
    sub_path: str | None = None
    """The folder of the volume that is mounted; all of it if None."""


def data_folder(run: TrainingRun) -> str:
    """Where large files go: the claim, or a volume that is gone with the pod."""
    return run.spec.storage.mount_path if run.spec.storage else SCRATCH_FOLDER


def run_folder(run: TrainingRun) -> str:
    """The run's own folder: checkpoints, model, logs."""
    return f"{data_folder(run)}/{run.metadata.name}"


def cache_folder(run: TrainingRun) -> str:
    """Where downloads are kept: HF_HOME."""
    cache = run.spec.cache
    root = data_folder(run) if cache.scope == "Shared" else run_folder(run)
    return f"{root}/{cache.sub_path}"


def volumes(run: TrainingRun, settings: Settings, config_map: str) -> tuple[Volume, ...]:
    """All volumes of a worker; the root file system is read-only."""
    shared_memory = {"medium": "Memory", "sizeLimit": run.spec.shared_memory.size}
    return (
        Volume("config", CONFIG_FOLDER, {"configMap": {"name": config_map}}, read_only=True),
        _data(run),
        Volume("tmp", "/tmp", {"emptyDir": _disk(run)}),  # noqa: S108 - a volume of the pod's own
        Volume("shared-memory", "/dev/shm", {"emptyDir": shared_memory}),  # noqa: S108
        *((_token(),) if settings.progress_url else ()),
    )


def claim_name(run: TrainingRun) -> str | None:
    """The claim that holds the run's folder, None for the pod's own scratch volume."""
    storage = run.spec.storage
    return None if storage is None else storage.claim_name or f"{run.metadata.name}-data"


def _data(run: TrainingRun) -> Volume:
    if run.spec.storage is None:
        return Volume("data", SCRATCH_FOLDER, {"emptyDir": _disk(run)})
    storage = run.spec.storage
    claim = {"persistentVolumeClaim": {"claimName": claim_name(run)}}
    return Volume("data", storage.mount_path, claim, sub_path=storage.sub_path)


def _disk(run: TrainingRun) -> dict[str, str]:
    limit = run.spec.workers.resources.ephemeral_storage
    return {} if limit is None else {"sizeLimit": limit}


def _token() -> Volume:
    token = {"audience": PROGRESS_AUDIENCE, "expirationSeconds": TOKEN_SECONDS, "path": "token"}
    source = {"projected": {"sources": [{"serviceAccountToken": token}]}}
    return Volume("progress-token", TOKEN_FOLDER, source, read_only=True)

"""The claim of a run: `spec.storage`."""

from __future__ import annotations

from typing import ClassVar, Final

from pydantic import Field

from trainingrun_operator.api.names import MountPath, ObjectName, RelativePath
from trainingrun_operator.api.quantities import MemoryQuantity
from trainingrun_trainer.rules import Group, Rule

RESERVED_FOLDERS: Final = (
    *("/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/opt", "/proc", "/root", "/run"),
    *("/sbin", "/scratch", "/sys", "/tmp", "/usr", "/var"),  # noqa: S108 - a name, not a use
)
"""What the image and the operator's own mounts need; a claim over one of them breaks the worker."""


class NewClaim(Group):
    """The claim `<run name>-data`, made where there is none. It is never deleted with the run."""

    size: MemoryQuantity = Field(description="How much storage to ask for.")
    storage_class_name: ObjectName | None = Field(
        None, description="The storage class; the cluster's default if absent."
    )


class Storage(Group):
    """The claim that holds the run's folder: checkpoints, model, logs."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="has(self.claimName) != has(self.create)",
            holds=lambda s: (s.claim_name is None) != (s.create is None),
            message="claimName and create exclude each other, and one is needed; "
            "give exactly one of them",
        ),
        Rule(
            cel=f"!{list(RESERVED_FOLDERS)}.exists(f, "
            "self.mountPath == f || self.mountPath.startsWith(f + '/'))",
            holds=lambda s: (
                not any(
                    s.mount_path == folder or s.mount_path.startswith(f"{folder}/")
                    for folder in RESERVED_FOLDERS
                )
            ),
            message="the image or the operator needs this folder; mount elsewhere, as at /runs",
            field="mountPath",
        ),
    )

    claim_name: ObjectName | None = Field(
        None,
        description="A PersistentVolumeClaim in the run's namespace, ReadWriteMany for several "
        "workers.",
    )
    create: NewClaim | None = Field(
        None, description="Make a claim of the run's own, which stays when the run is deleted."
    )
    sub_path: RelativePath | None = Field(
        None,
        description="Mount this folder of the claim only, as if it were the claim: the run sees "
        "nothing beside it. It is made where there is none.",
    )
    mount_path: MountPath = Field(
        "/runs",
        description="Where the claim is mounted. The run's folder is <mountPath>/<run name>.",
    )

"""What one worker gets: `spec.workers.resources`."""

from __future__ import annotations

from pydantic import Field

from trainingrun_operator.api.quantities import CpuQuantity, MemoryQuantity
from trainingrun_trainer.rules import Group


class Resources(Group):
    """What one worker gets: requests equal limits, so its CPUs are its own (Guaranteed QoS)."""

    cpu: CpuQuantity = Field("1", description="CPUs of one worker, as a quantity: 8, 500m.")
    memory: MemoryQuantity = Field("2Gi", description="Memory of one worker, /dev/shm included.")
    ephemeral_storage: MemoryQuantity | None = Field(
        None,
        description="Disk of the node that one worker may fill, logs included; /tmp and /scratch "
        "are each limited to it. No limit if absent.",
    )

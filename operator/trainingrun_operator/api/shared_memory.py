"""The memory volume at /dev/shm: `spec.sharedMemory`."""

from __future__ import annotations

from pydantic import Field

from trainingrun_operator.api.quantities import MemoryQuantity
from trainingrun_trainer.rules import Group


class SharedMemory(Group):
    """The memory volume at /dev/shm."""

    size: MemoryQuantity = Field("256Mi", description="Its size; counts into the memory limit.")

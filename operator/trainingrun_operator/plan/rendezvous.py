"""The objects of a rendezvous that has a pod of its own: their names, and what the pod gets."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

PORT: Final = 23456
"""The training operator's own choice for the rendezvous."""
CPU_REQUEST: Final = "100m"
CPU_LIMIT: Final = "1"
"""It is idle but for its start, when it imports torch."""
MEMORY: Final = "512Mi"
"""Importing torch takes half of it."""
_DIGITS: Final = 6


@dataclass(frozen=True)
class DedicatedRendezvous:
    """`job` is another one for each PyTorchJob that is made anew, since the template of a Job can
    not change and the old one may not be gone yet; workers find either by `service`."""

    service: str
    job: str


def dedicated_rendezvous(run: str, spec_hash: str, attempt: int) -> DedicatedRendezvous:
    """The rendezvous of one PyTorchJob of a run. Names of at most 63 characters for runs of 50."""
    digest = hashlib.sha256(f"{spec_hash}/{attempt}".encode()).hexdigest()[:_DIGITS]
    return DedicatedRendezvous(service=f"{run}-rendezvous", job=f"{run}-store-{digest}")

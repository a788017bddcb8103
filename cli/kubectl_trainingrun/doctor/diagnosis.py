"""The table of troubles, the deciding ones first. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from kubectl_trainingrun.doctor import surroundings, training
from kubectl_trainingrun.doctor.snapshot import Snapshot, Trouble

Check = Callable[[Snapshot], Trouble | None]

CHECKS: Final[tuple[Check, ...]] = (
    surroundings.operator_down,
    surroundings.invalid_spec,
    training.suspended,
    training.disk_full,  # the cause of many a user error and failed rank
    training.out_of_memory,
    training.wrong_data,
    training.wrong_spec,
    training.given_up,
    surroundings.claim_in_the_way,
    surroundings.quota_exceeded,
    surroundings.training_operator_down,
    surroundings.unschedulable,
    surroundings.image_not_pulled,
    surroundings.container_not_made,
    surroundings.node_lost,
    training.rendezvous_failing,
    training.stalled,
    training.reports_refused,
    training.stack_differs,
)


def diagnosis(seen: Snapshot) -> list[Trouble]:
    """What is in the way, one trouble for each cause that shows."""
    found = [trouble for check in CHECKS if (trouble := check(seen)) is not None]
    # The wider trouble of a text says nothing that the narrower one has not said.
    return [t for i, t in enumerate(found) if t.what not in {other.what for other in found[:i]}]

"""What a PyTorchJob was made from, as a hash, so that a changed run is noticed."""

from __future__ import annotations

import hashlib
import json

from trainingrun_operator.api.changes import APPLIED_AT_ONCE, APPLIED_AT_ONCE_IF_ELASTIC
from trainingrun_operator.api.v1alpha1 import TrainingRun


def spec_hash(run: TrainingRun) -> str:
    """64 hex digits over what the user wrote and a new job would be needed for.

    Fields left at their defaults do not count, so that an operator with new fields, new defaults or
    a new default image does not disturb runs that train. The number of workers does not count for
    an elastic run; a fixed run's rendezvous is made for its number.
    """
    left_out = dict(APPLIED_AT_ONCE)
    if run.spec.workers.elastic is not None:
        left_out |= APPLIED_AT_ONCE_IF_ELASTIC
    spec = run.spec.model_dump(
        mode="json",
        by_alias=True,
        exclude_defaults=True,
        exclude_none=True,
        exclude={group: set(fields) for group, fields in left_out.items()},
    )
    if not spec.get("policy"):
        spec.pop("policy", None)  # only what is left out was written in it
    document = {"uid": run.metadata.uid, "spec": spec}
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()

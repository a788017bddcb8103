"""Whether checkpoints can be saved, as the run's reports tell it."""

from __future__ import annotations

from trainingrun_operator.api.conditions import ConditionType, Reason
from trainingrun_operator.lifecycle.decision import Verdict
from trainingrun_operator.lifecycle.observed import Observed


def storage_verdicts(seen: Observed, last_good: int | None) -> tuple[Verdict, ...]:
    """What a report changes in StorageFull; `last_good` is the newest checkpoint it leads to.

    A report that names no problem does not end it: after a restart rank 0 has not tried to save
    yet. A later checkpoint does.
    """
    block = seen.report.report.training_run if seen.report else None
    if block is None:
        return ()
    if block.storage_problem is not None:
        message = (
            f"{block.storage_problem}; the checkpoints before are whole. Make room on the claim; "
            "the next checkpoint that is saved ends this"
        )
        reason = Reason.CHECKPOINT_NOT_SAVED
        return (Verdict(ConditionType.STORAGE_FULL, "True", reason, message),)
    if seen.is_true(ConditionType.STORAGE_FULL) and last_good != seen.status.checkpoints.last_good:
        message = f"the checkpoint of step {last_good} was saved"
        reason = Reason.CHECKPOINT_SAVED
        return (Verdict(ConditionType.STORAGE_FULL, "False", reason, message),)
    return ()

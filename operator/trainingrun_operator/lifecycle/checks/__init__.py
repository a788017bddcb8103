"""The life of a run, as a list of questions in the order in which they matter.

Each check looks at what is seen and what is wished, and either decides or leaves it to the next.
Its docstring is its row in docs/lifecycle.md. Pure, as all of `lifecycle`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from trainingrun_operator.lifecycle.checks.due import with_what_is_due
from trainingrun_operator.lifecycle.checks.ends import (
    all_restarts_exhausted,
    being_deleted,
    deadline_exceeded,
    job_ending,
    job_failed,
    job_succeeded,
    pod_restarts_exhausted,
    restarts_exhausted,
    user_error,
)
from trainingrun_operator.lifecycle.checks.finished import (
    already_finished,
    retried,
    retry_unreadable,
)
from trainingrun_operator.lifecycle.checks.job import (
    job_differs,
    job_going,
    job_is_a_strangers,
    job_missing,
    job_of_an_earlier_attempt,
    job_outdated,
)
from trainingrun_operator.lifecycle.checks.pods import (
    container_config_error,
    image_pull_failed,
    pods_missing,
    restarting,
    running,
    unschedulable,
    waiting,
)
from trainingrun_operator.lifecycle.checks.stack import with_stack
from trainingrun_operator.lifecycle.checks.stall import stalled
from trainingrun_operator.lifecycle.checks.wishes import (
    claim_missing,
    not_accepted,
    priority_class_missing,
    quota_exceeded,
    suspended,
)
from trainingrun_operator.lifecycle.decision import Decision
from trainingrun_operator.lifecycle.observed import Observed
from trainingrun_operator.lifecycle.say import with_edit_refused, with_notices
from trainingrun_operator.lifecycle.wish import Wish

Check = Callable[[Observed, Wish, datetime], Decision | None]

CHECKS: Final[tuple[Check, ...]] = (
    being_deleted,
    retry_unreadable,
    retried,
    already_finished,  # never back from a terminal state unasked
    job_is_a_strangers,
    job_of_an_earlier_attempt,  # nothing it says counts any more
    job_succeeded,  # what is achieved is not taken back by a later wish
    user_error,
    restarts_exhausted,
    not_accepted,
    deadline_exceeded,
    suspended,
    pod_restarts_exhausted,
    all_restarts_exhausted,
    job_failed,
    claim_missing,
    priority_class_missing,
    quota_exceeded,
    job_going,
    job_missing,
    job_outdated,
    job_differs,
    job_ending,
    image_pull_failed,
    container_config_error,
    unschedulable,
    pods_missing,
    stalled,
    running,
    restarting,
    waiting,
)


def decide(seen: Observed, wish: Wish, now: datetime) -> Decision:
    """The first check that has something to say decides; `waiting` always has."""
    decided = next(d for check in CHECKS if (d := check(seen, wish, now)) is not None)
    decided = with_stack(decided, seen, wish)
    decided = with_notices(decided, wish.notices)
    if wish.refused_edit is not None and not seen.finished:
        decided = with_edit_refused(decided, wish.refused_edit)
    return with_what_is_due(decided, seen, wish, now)

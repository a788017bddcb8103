"""What runs have reported, in memory: the next post makes good what a restart loses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from trainingrun_operator.api.history import History
from trainingrun_operator.keys import Key
from trainingrun_operator.lifecycle.observed import ReceivedReport
from trainingrun_operator.progress.series import extended
from trainingrun_trainer.report import Report

POST_INTERVAL: Final = timedelta(seconds=0.5)
"""The shortest time between two posts of a run. Trainers keep twice as much, so that a post which
was on its way longer than the next one is no offence."""


class ReportStore:
    """Reports by run. A run that is made again under its old name starts without any."""

    def __init__(self) -> None:
        self._reports: dict[Key, tuple[str, ReceivedReport]] = {}
        self._accepted_at: dict[Key, datetime] = {}
        self._histories: dict[Key, tuple[str, History]] = {}

    def too_soon(self, key: Key, now: datetime) -> bool:
        """Whether the run's last accepted post is less than the interval ago; if not, count one."""
        last = self._accepted_at.get(key)
        if last is not None and timedelta() <= now - last < POST_INTERVAL:
            return True
        self._accepted_at[key] = now
        return False

    def put(self, key: Key, uid: str, report: Report, now: datetime) -> None:
        """Keep the report of the run with this UID as its newest, and in its history."""
        received = ReceivedReport(report, now)
        self._reports[key] = (uid, received)
        kept_uid, history = self._histories.get(key, ("", History()))
        self._histories[key] = (uid, extended(history if kept_uid == uid else History(), received))

    def newest(self, key: Key, uid: str) -> ReceivedReport | None:
        """The newest report of this very run."""
        kept_uid, received = self._reports.get(key, ("", None))
        return received if kept_uid == uid else None

    def histories(self) -> Mapping[Key, tuple[str, History]]:
        """The history of each run that reports, with its UID, as they are now."""
        return dict(self._histories)

    def drop_history(self, key: Key) -> None:
        """Begin a new history at the next report, if there is one."""
        self._histories.pop(key, None)

    def forget(self, key: Key) -> None:
        """Drop what is kept of a run."""
        self._reports.pop(key, None)
        self._accepted_at.pop(key, None)
        self._histories.pop(key, None)

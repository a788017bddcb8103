"""A run as the API server gives it, with its status typed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kubectl_trainingrun.cluster import Object
from kubectl_trainingrun.text import number
from trainingrun_operator.api.conditions import ConditionType, Phase
from trainingrun_operator.api.status import Condition, Status
from trainingrun_operator.lifecycle.observed import parse_status
from trainingrun_operator.lifecycle.words import duration


@dataclass(frozen=True)
class RunView:
    """What the verbs and the page show of a run."""

    name: str
    namespace: str
    uid: str
    created: datetime
    status: Status
    raw: Object

    @classmethod
    def of(cls, raw: Object) -> RunView:
        """The run in an object; a status that cannot be read is empty."""
        meta = raw["metadata"]
        made = meta.get("creationTimestamp")
        return cls(
            name=meta["name"],
            namespace=meta.get("namespace", ""),
            uid=meta.get("uid", ""),
            created=datetime.fromisoformat(made) if made else datetime.now(UTC),
            status=parse_status(raw),
            raw=raw,
        )

    @property
    def phase(self) -> str:
        """The phase; a run that the operator has not looked at has none."""
        return self.status.phase or "-"

    @property
    def over(self) -> bool:
        return self.status.phase in {Phase.SUCCEEDED, Phase.FAILED}

    @property
    def spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = self.raw.get("spec") or {}
        return spec

    def condition(self, kind: ConditionType) -> Condition | None:
        """The condition as last written."""
        return next((c for c in self.status.conditions if c.type is kind), None)

    def cells(self, now: datetime) -> tuple[str, ...]:
        """Name, phase, step, loss, time left, workers, restarts, checkpoint, age."""
        status, progress = self.status, self.status.progress
        good = status.checkpoints.last_good
        return (
            self.name,
            self.phase,
            progress.steps if progress else "-",
            number(progress.loss if progress else None),
            (progress.eta if progress else "") or "-",
            status.workers.summary or "-",
            str(status.restarts.total),
            "-" if good is None else str(good),
            duration(now - self.created),
        )

"""Taints that workers tolerate: `spec.workers.tolerations`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from trainingrun_operator.api.names import LabelKey, LabelValue
from trainingrun_trainer.rules import Group, Rule


class Toleration(Group):
    """Lets workers onto nodes with a matching taint."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="has(self.key) || self.operator == 'Exists'",
            holds=lambda t: t.key is not None or t.operator == "Exists",
            message="without a key every taint is tolerated; write Exists, or give a key",
            field="operator",
        ),
        Rule(
            cel="!has(self.value) || self.operator == 'Equal'",
            holds=lambda t: t.value is None or t.operator == "Equal",
            message="Exists compares no value; remove value, or write Equal",
            field="value",
        ),
        Rule(
            cel="!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
            holds=lambda t: t.toleration_seconds is None or t.effect == "NoExecute",
            message="only NoExecute has a time; remove tolerationSeconds, or write NoExecute",
            field="tolerationSeconds",
        ),
    )

    key: LabelKey | None = Field(None, description="The taint's key; all if absent.")
    operator: Literal["Exists", "Equal"] = Field("Equal", description="How the value is compared.")
    value: LabelValue | None = Field(None, description="The taint's value, for Equal.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        None, description="The taint's effect; all if absent."
    )
    toleration_seconds: int | None = Field(
        None, ge=0, le=31_536_000, description="How long a NoExecute taint is tolerated."
    )

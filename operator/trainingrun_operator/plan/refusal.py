"""Why a valid TrainingRun cannot be carried out as it stands."""

from __future__ import annotations


class PlanError(ValueError):
    """No plan fits. `field` is the path of the field to change, `message` "what is wrong; mend"."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message

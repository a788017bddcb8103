"""Why a valid TrainingRun cannot be carried out as it stands."""

from __future__ import annotations

from trainingrun_operator.api.problems import Problem


class PlanError(ValueError):
    """No plan fits. `problems` are the fields to change, each with what is wrong and the mend."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


class Refusals:
    """What is wrong with a run, gathered from one part of its plan after the other.

    A part that refuses goes on as it was asked to, so that the parts after it judge what the user
    wrote; the plan that comes of it is thrown away.
    """

    def __init__(self) -> None:
        self._problems: list[Problem] = []

    def add(self, field: str, message: str) -> None:
        """Refuse the value of `field`, a path; `message` is "what is wrong; the mend"."""
        self._problems.append(Problem(field, message))

    def raise_any(self) -> None:
        """End here if anything was refused.

        Raises:
            PlanError: with every problem, in the order in which they were found.
        """
        if self._problems:
            raise PlanError(tuple(self._problems))

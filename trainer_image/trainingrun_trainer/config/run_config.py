"""The whole contract, in one versioned JSON document."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import ClassVar, Final, Literal, Self

from pydantic import Field

from trainingrun_trainer.config.checkpoints import Checkpoints
from trainingrun_trainer.config.communication import Communication
from trainingrun_trainer.config.cpu import Cpu
from trainingrun_trainer.config.data import Data
from trainingrun_trainer.config.evaluation import Evaluation
from trainingrun_trainer.config.model import Model
from trainingrun_trainer.config.processes import Processes, RunIdentity
from trainingrun_trainer.config.resume import Resume
from trainingrun_trainer.config.sources import LocalPath
from trainingrun_trainer.config.task import Task, TaskType
from trainingrun_trainer.config.task_rules import TASK_RULES
from trainingrun_trainer.config.training import Training
from trainingrun_trainer.rules import Group, Rule

RUN_CONFIG_VERSION: Final = "v1alpha1"


class LaunchConfig(Group):
    """What the launcher goes by, whatever the ranks run."""

    version: Literal["v1alpha1"] = RUN_CONFIG_VERSION
    run: RunIdentity
    folder: LocalPath = Field(description="The run's own folder: checkpoints, model, logs.")
    task: Task
    processes: Processes = Processes()
    communication: Communication = Communication()
    cpu: Cpu = Cpu()
    shared_memory_bytes: int | None = Field(
        None, ge=0, description="The size /dev/shm was given; none where it is the machine's."
    )

    @classmethod
    def read(cls, path: Path) -> Self:
        """The config in a JSON file.

        Raises:
            OSError: the file cannot be read.
            pydantic.ValidationError: it is not a valid config of this kind.
        """
        return cls.model_validate_json(path.read_bytes())

    def to_json(self) -> str:
        """The document `read` takes, keys sorted, absent values left out."""
        return json.dumps(
            self.model_dump(mode="json", by_alias=True, exclude_none=True), indent=2, sort_keys=True
        )


class RunConfig(LaunchConfig):
    """The whole contract of a run that our trainer trains. Unknown fields and versions are
    refused."""

    RULES: ClassVar[tuple[Rule, ...]] = TASK_RULES

    model: Model
    data: Data
    training: Training
    checkpoints: Checkpoints = Checkpoints()
    evaluation: Evaluation = Evaluation()
    resume: Resume = Resume()


class ScriptConfig(LaunchConfig):
    """The whole contract of a run of the user's own program."""


AnyConfig = RunConfig | ScriptConfig


def any_config(text: str | bytes) -> AnyConfig:
    """The config in a JSON document, by its task.

    Raises:
        pydantic.ValidationError: it is not a valid one.
    """
    if _task_type(text) == TaskType.SCRIPT:
        return ScriptConfig.model_validate_json(text)
    return RunConfig.model_validate_json(text)


def _task_type(text: str | bytes) -> object:
    """What the document says of its task, if it says anything."""
    with contextlib.suppress(ValueError, LookupError, TypeError):
        return json.loads(text)["task"]["type"]
    return None

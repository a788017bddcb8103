"""How a launcher ends: an exit code, and the words that go with it into the termination log."""

from __future__ import annotations

import contextlib
import json
import signal
import traceback
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from trainingrun_trainer.config import LaunchConfig
from trainingrun_trainer.launcher.arrivals import Verdict
from trainingrun_trainer.report import ExitCode, Failure, Summary, TerminationMessage
from trainingrun_trainer.state import RunState


@dataclass(frozen=True)
class Ending:
    """A run that is over has one of the two, whichever worker tells it."""

    code: ExitCode
    failure: Failure | None = None
    summary: Summary | None = None

    @property
    def verdict(self) -> Verdict:
        """The same, for the other workers."""
        return Verdict(exit_code=self.code, failure=self.failure, summary=self.summary)


def by_verdict(verdict: Verdict) -> Ending:
    """The ending of a worker that learned of it from another."""
    return Ending(ExitCode(verdict.exit_code), verdict.failure, verdict.summary)


def user_error(message: str, field: str | None = None, rank: int | None = None) -> Ending:
    failure = Failure(reason="UserError", message=message, field=field, rank=rank, retryable=False)
    return Ending(ExitCode.USER_ERROR, failure)


def infrastructure(reason: str, message: str) -> Ending:
    return Ending(ExitCode.INFRASTRUCTURE, Failure(reason=reason, message=message))


def launcher_failed(error: Exception) -> Ending:
    """The ending for an exception that no code of ours expected."""
    return infrastructure("LauncherFailed", traceback.format_exception_only(error)[-1].strip())


def preempted() -> Ending:
    failure = Failure(
        reason="Preempted", message="asked to leave; a checkpoint was saved where there was time"
    )
    return Ending(ExitCode.PREEMPTED, failure)


def config_error(path: Path, error: Exception) -> Ending:
    """The ending for a config that cannot be read; the message names each field that is wrong."""
    if not isinstance(error, ValidationError):
        return user_error(f"{path}: {error}")
    problems = error.errors(include_url=False)
    places = [".".join(str(part) for part in problem["loc"]) for problem in problems]
    text = "; ".join(
        f"{place or 'the document'}: {problem['msg']}"
        for place, problem in zip(places, problems, strict=True)
    )
    return user_error(f"{path}: {text}", field=places[0] or None)


def how_it_ended(exit_code: int, *, for_memory: bool = False) -> str:
    """A process's exit code in words."""
    if for_memory:
        return "was killed for memory; raise spec.workers.resources.memory"
    with contextlib.suppress(ValueError):
        if exit_code < 0:
            return f"was killed by {signal.Signals(-exit_code).name}"
    return f"exited with code {exit_code}"


def write_termination_log(path: Path | None, ending: Ending, config: LaunchConfig | None) -> None:
    """Leaves the message where Kubernetes (or a test) reads it; None is for nobody reads it."""
    if path is None:
        return
    state = RunState.read(Path(config.folder)) if config is not None else RunState()
    if config is not None and state.uid != config.run.uid:
        state = RunState()  # an earlier run's, which this one did not come to replace
    message = TerminationMessage(
        summary=ending.summary,
        failure=ending.failure,
        restarts=state.restarts[-8:],
        restart_count=state.restart_count,
    )
    with contextlib.suppress(OSError):  # the exit code still tells
        path.write_text(message.to_json())


def cause_line(ending: Ending) -> str:
    """One line for the log."""
    if ending.failure is None:
        return f"exit code {int(ending.code)}"
    where = f" ({ending.failure.field})" if ending.failure.field else ""
    return f"exit code {int(ending.code)}, {ending.failure.reason}{where}: " + json.dumps(
        ending.failure.message, ensure_ascii=False
    ).strip('"')

"""Runs a graph of named steps: whatever is ready at once, within what the machine can carry.

A step that finds its result already there says so and costs nothing, so an interrupted run is
continued by running it again. Graphs are plain lists: two are merged by `+`.
"""

import enum
import functools
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hack import cache
from hack.shell import Shell


class Bound(enum.Enum):
    """What a step spends its time on, hence what it can overlap with."""

    CPU = "cpu"
    NETWORK = "network"


# A compiler fills every core by itself, so two at once only fight for memory; downloads and
# waits leave the cores idle, so a few of them run beside it.
AT_ONCE: Final[Mapping[Bound, int]] = {Bound.CPU: 1, Bound.NETWORK: 3}
LOG_LINES_SHOWN: Final = 40


@dataclass(frozen=True)
class Step:
    """One named piece of work.

    `present` says, without changing anything, whether the result is there; a step without it
    always runs. `mend` is what a person can do when it fails.
    """

    name: str
    make: Callable[[Shell], None]
    needs: tuple[str, ...] = ()
    bound: Bound = Bound.CPU
    present: Callable[[Shell], bool] | None = None
    mend: str | None = None


Alone = Callable[[Callable[[str], None]], AbstractContextManager[None]]


class BadGraph(ValueError):
    """The steps do not form a graph that can be run."""


class StepFailed(Exception):
    """A step failed; says which, why, where its log is, and what mends it."""

    def __init__(self, step: Step, cause: BaseException, log: Path) -> None:
        super().__init__(step.name)
        self.step, self.cause, self.log = step, cause, log

    def __str__(self) -> str:
        return "\n".join(
            [
                f"FAILED: {self.step.name}",
                *(f"  | {line}" for line in tail(self.log, LOG_LINES_SHOWN)),
                f"  cause: {self.cause or type(self.cause).__name__}",
                f"  log:   {self.log}",
                *([f"  mend:  {self.step.mend}"] if self.step.mend else []),
            ]
        )


def tail(path: Path, count: int) -> list[str]:
    """The last lines of a text file, or none where there is no file."""
    try:
        with path.open(errors="replace") as file:
            return [line.rstrip("\n") for line in deque(file, maxlen=count)]
    except OSError:
        return []


def check(steps: Sequence[Step]) -> None:
    """Refuse a graph that could never be finished.

    Raises:
        BadGraph: a name twice, a need that no step has, or a circle.
    """
    names = [step.name for step in steps]
    if twice := {name for name in names if names.count(name) > 1}:
        raise BadGraph(f"more than one step is called {', '.join(sorted(twice))}")
    for step in steps:
        if missing := set(step.needs) - set(names):
            raise BadGraph(f"{step.name} needs {', '.join(sorted(missing))}, which no step is")
    finished: set[str] = set()
    while waiting := [step for step in steps if step.name not in finished]:
        able = {step.name for step in waiting if finished.issuperset(step.needs)}
        if not able:
            raise BadGraph(f"in a circle: {', '.join(step.name for step in waiting)}")
        finished |= able


@dataclass
class _Run:
    """The state of one run, touched by the scheduling thread alone (but for `finished`)."""

    logs: Path
    say: Callable[[str], None]
    clock: Callable[[], float]
    waiting: list[Step]
    shells: dict[str, Shell] = field(default_factory=dict)
    running: dict[Bound, int] = field(default_factory=lambda: dict.fromkeys(Bound, 0))
    done: set[str] = field(default_factory=set)
    finished: "queue.Queue[tuple[Step, BaseException | None]]" = field(default_factory=queue.Queue)

    def ready(self) -> Step | None:
        """The first step whose needs are met and for whose kind there is room."""
        for step in self.waiting:
            room = self.running[step.bound] < AT_ONCE[step.bound]
            if room and self.done.issuperset(step.needs):
                return step
        return None

    def work(self, step: Step, shell: Shell) -> None:
        """In a thread of the pool: the step itself, with its lines."""
        began = self.clock()
        try:
            if step.present is not None and step.present(shell):
                self.say(f"{step.name}: already there")
            else:
                self.say(f"{step.name}: started")
                step.make(shell)
                self.say(f"{step.name}: done in {self.clock() - began:.1f} s")
        except BaseException as error:  # carried to the scheduling thread, which decides
            self.finished.put((step, error))
        else:
            self.finished.put((step, None))

    def log_of(self, step: Step) -> Path:
        path = self.logs / f"{step.name.replace(' ', '-').replace('/', '-')}.log"
        path.unlink(missing_ok=True)
        return path


def printer() -> Callable[[str], None]:
    """A `say` that prints whole lines from any thread, each with the time since the start."""
    guard, began = threading.Lock(), time.monotonic()

    def say(line: str) -> None:
        with guard:
            print(f"[{time.monotonic() - began:6.1f} s] {line}", flush=True)

    return say


def run(
    steps: Iterable[Step],
    logs: Path,
    say: Callable[[str], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
    alone: Alone | None = None,
) -> None:
    """Run every step once, each after what it needs, one process of this user at a time.

    At the first failure (or an interrupt) nothing new is started and what runs is ended.

    Raises:
        BadGraph: before anything runs.
        StepFailed: a step failed.
    """
    waiting = list(steps)
    check(waiting)
    say = say or printer()
    state = _Run(logs=logs, say=say, clock=clock, waiting=waiting)
    # Two processes that bring up one cluster would each take the other's work for half done.
    lock = (alone or functools.partial(cache.lock, "steps"))(say)
    with lock, ThreadPoolExecutor(max_workers=sum(AT_ONCE.values())) as pool:
        try:
            while state.waiting or any(state.running.values()):
                while (step := state.ready()) is not None:
                    state.waiting.remove(step)
                    state.running[step.bound] += 1
                    shell = state.shells[step.name] = Shell(state.log_of(step))
                    pool.submit(state.work, step, shell)
                ended, error = state.finished.get()
                state.running[ended.bound] -= 1
                if error is not None:
                    raise StepFailed(ended, error, state.shells[ended.name].log) from error
                state.done.add(ended.name)
        except BaseException:
            for shell in state.shells.values():
                shell.stop()
            raise

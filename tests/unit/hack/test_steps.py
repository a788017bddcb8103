"""The step runner, with no subprocess and no file but a log."""

import contextlib
import itertools
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from hack.shell import Shell
from hack.steps import AT_ONCE, BadGraph, Bound, Step, StepFailed, check, run


def nothing(_: Shell) -> None:
    """A step's work that is done at once."""


def lines(steps: Iterable[Step], logs: Path) -> list[str]:
    """Run steps with a clock that ticks a second at each look; give what was said."""
    said: list[str] = []
    ticks = itertools.count()
    run(
        steps,
        logs,
        say=said.append,
        clock=lambda: float(next(ticks)),
        alone=lambda _: contextlib.nullcontext(),
    )
    return said


def test_a_step_runs_after_what_it_needs(tmp_path: Path) -> None:
    order: list[str] = []

    def noting(name: str) -> Callable[[Shell], None]:
        return lambda _: order.append(name)

    lines(
        [
            Step("roof", noting("roof"), needs=("walls",)),
            Step("walls", noting("walls"), needs=("ground",)),
            Step("ground", noting("ground")),
        ],
        tmp_path,
    )

    assert order == ["ground", "walls", "roof"]


def test_a_step_says_when_it_starts_and_how_long_it_took(tmp_path: Path) -> None:
    assert lines([Step("etcd", nothing)], tmp_path) == ["etcd: started", "etcd: done in 1.0 s"]


def test_a_step_whose_result_is_there_is_not_run(tmp_path: Path) -> None:
    def fail(_: Shell) -> None:
        raise AssertionError("it was run")

    said = lines([Step("etcd", fail, present=lambda _: True)], tmp_path)

    assert said == ["etcd: already there"]


def test_a_cpu_bound_step_overlaps_with_a_network_bound_one(tmp_path: Path) -> None:
    together = threading.Barrier(2, timeout=10)

    def meet(_: Shell) -> None:
        together.wait()

    lines([Step("compile", meet), Step("download", meet, bound=Bound.NETWORK)], tmp_path)

    assert not together.broken


@pytest.mark.parametrize("bound", list(Bound))
def test_no_more_steps_of_a_kind_run_than_the_machine_carries(tmp_path: Path, bound: Bound) -> None:
    guard, running, most = threading.Lock(), 0, 0

    def count(_: Shell) -> None:
        nonlocal running, most
        with guard:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.01)
        with guard:
            running -= 1

    lines([Step(f"step {number}", count, bound=bound) for number in range(6)], tmp_path)

    assert most <= AT_ONCE[bound]


def test_what_needs_a_failed_step_is_not_run(tmp_path: Path) -> None:
    ran: list[str] = []

    def fail(_: Shell) -> None:
        raise RuntimeError("no space left")

    with pytest.raises(StepFailed):
        lines(
            [
                Step("ground", fail),
                Step("walls", lambda _: ran.append("walls"), needs=("ground",)),
            ],
            tmp_path,
        )

    assert ran == []


def test_a_failure_says_step_cause_last_lines_log_and_mend(tmp_path: Path) -> None:
    def fail(shell: Shell) -> None:
        for number in range(100):
            shell.note(f"line {number}")
        raise RuntimeError("no space left")

    with pytest.raises(StepFailed) as failure:
        lines([Step("node image", fail, mend="free some")], tmp_path)

    text = str(failure.value)
    assert "FAILED: node image" in text
    assert "line 99" in text
    assert "line 59" not in text
    assert "no space left" in text
    assert str(tmp_path / "node-image.log") in text
    assert "free some" in text


def test_a_failure_ends_what_still_runs(tmp_path: Path) -> None:
    started = threading.Event()

    def long(shell: Shell) -> None:
        started.set()
        shell.wait_until("never so", lambda: False, seconds=30)

    def fail(_: Shell) -> None:
        started.wait(10)
        raise RuntimeError("no space left")

    with pytest.raises(StepFailed, match="ground"):
        lines([Step("wait", long, bound=Bound.NETWORK), Step("ground", fail)], tmp_path)


@pytest.mark.parametrize(
    ("steps", "complaint"),
    [
        ([Step("a", nothing), Step("a", nothing)], "more than one step is called a"),
        ([Step("a", nothing, needs=("b",))], "a needs b, which no step is"),
        (
            [Step("a", nothing, needs=("b",)), Step("b", nothing, needs=("a",))],
            "in a circle: a, b",
        ),
    ],
)
def test_a_graph_that_cannot_be_finished_is_refused(steps: list[Step], complaint: str) -> None:
    with pytest.raises(BadGraph, match=complaint):
        check(steps)


def test_two_graphs_are_merged_by_adding_them(tmp_path: Path) -> None:
    cluster = [Step("engine", nothing)]
    images = [Step("trainer image", nothing, needs=("engine",))]

    assert len(lines(cluster + images, tmp_path)) == 4

"""The work queue: each key once, never twice at a time, later again after an error."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

from trainingrun_operator.workqueue import LONGEST_BACKOFF, Schedule, WorkQueue


def longest(_low: float, high: float) -> float:
    """Jitter that is none."""
    return high


def test_a_key_that_is_woken_twice_is_taken_once() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.wake("a", at=1)
    schedule.wake("a", at=2)

    assert schedule.take(5) == "a"
    assert schedule.take(5) is None


def test_a_key_that_is_woken_while_it_is_worked_on_is_taken_again_only_after_that() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.wake("a", at=0)
    schedule.take(0)
    schedule.wake("a", at=0)

    assert schedule.take(1) is None
    schedule.put_back("a", again_at=None)
    assert schedule.take(1) == "a"


def test_the_key_that_waits_longest_is_taken_first() -> None:
    schedule: Schedule[str] = Schedule()
    for key, at in (("late", 3), ("early", 1), ("middle", 2)):
        schedule.wake(key, at)

    assert [schedule.take(5) for _ in range(3)] == ["early", "middle", "late"]


def test_a_key_is_not_taken_before_it_is_due() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.put_back("a", again_at=10)

    assert schedule.take(9) is None
    assert schedule.next_due() == 10


def test_delays_after_errors_grow_to_a_limit_and_start_anew_after_success() -> None:
    schedule: Schedule[str] = Schedule(jitter=longest)

    delays = [schedule.put_back_failed("a", now=0) for _ in range(9)]
    schedule.put_back("a", again_at=None)

    assert delays == [1, 2, 4, 8, 16, 32, 60, 60, LONGEST_BACKOFF.total_seconds()]
    assert schedule.put_back_failed("a", now=0) == 1


def test_delays_after_errors_are_jittered() -> None:
    delays = {Schedule[str]().put_back_failed("a", now=0) for _ in range(20)}

    assert len(delays) > 1
    assert all(0.5 <= delay <= 1 for delay in delays)


@contextlib.asynccontextmanager
async def working(queue: WorkQueue[str]) -> AsyncIterator[None]:
    task = asyncio.create_task(queue.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_an_error_of_one_key_leaves_the_others_alone() -> None:
    done = asyncio.Event()

    async def work(key: str) -> timedelta | None:
        if key == "bad":
            raise ValueError("bad")
        done.set()
        return None

    queue = WorkQueue(work, expected=ValueError)
    async with working(queue):
        queue.wake("bad")
        queue.wake("good")
        await asyncio.wait_for(done.wait(), 5)


async def test_a_key_is_worked_on_again_after_the_time_it_asked_for() -> None:
    times: list[float] = []
    twice = asyncio.Event()

    async def work(_key: str) -> timedelta | None:
        times.append(asyncio.get_running_loop().time())
        if len(times) == 2:
            twice.set()
            return None
        return timedelta(milliseconds=20)

    queue = WorkQueue(work, expected=ValueError)
    async with working(queue):
        queue.wake("a")
        await asyncio.wait_for(twice.wait(), 5)

    assert times[1] - times[0] >= 0.02


async def test_one_key_is_never_worked_on_twice_at_a_time() -> None:
    inside = most = count = 0
    enough = asyncio.Event()

    async def work(_key: str) -> timedelta | None:
        nonlocal inside, most, count
        inside, count = inside + 1, count + 1
        most = max(most, inside)
        queue.wake("a")
        await asyncio.sleep(0)
        inside -= 1
        if count == 5:
            enough.set()
        return None

    queue = WorkQueue(work, expected=ValueError)
    async with working(queue):
        queue.wake("a")
        await asyncio.wait_for(enough.wait(), 5)

    assert most == 1


def test_peace_that_is_asked_for_makes_no_later_failure_count_as_one_more() -> None:
    schedule: Schedule[str] = Schedule(jitter=lambda _low, high: high)
    delays = []
    for not_before in (5, 5, 5, 0, 0):
        schedule.wake("a", 0)
        schedule.take(0)
        delays.append(schedule.put_back_failed("a", now=0, not_before=not_before))

    assert delays == [6, 6, 6, 1, 2]


def test_a_key_that_failed_is_not_due_before_the_peace_that_was_asked_for() -> None:
    schedule: Schedule[str] = Schedule(jitter=lambda _low, high: high)
    schedule.wake("a", 0)
    schedule.take(0)

    delay = schedule.put_back_failed("a", now=0, not_before=5)

    assert delay == 6
    assert schedule.take(5.9) is None
    assert schedule.take(6) == "a"

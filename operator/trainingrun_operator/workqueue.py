"""A queue of keys: each once, never two workers on one, later again when asked or after an error.

As client-go's rate-limited work queue, for one event loop. `Schedule` holds the rules and knows no
clock; `WorkQueue` runs them.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Hashable
from datetime import timedelta
from typing import Final, Generic, TypeVar

FIRST_BACKOFF: Final = timedelta(seconds=1)
LONGEST_BACKOFF: Final = timedelta(minutes=1)

K = TypeVar("K", bound=Hashable)
logger = logging.getLogger(__name__)


class Schedule(Generic[K]):
    """When each key is due. Times are seconds on any one monotonic clock."""

    def __init__(self, jitter: Callable[[float, float], float] = random.uniform) -> None:
        self._due: dict[K, float] = {}
        self._taken: set[K] = set()
        self._failures: dict[K, int] = {}
        self._jitter = jitter

    def wake(self, key: K, at: float) -> None:
        """Have the key due at this time, or earlier if it already is."""
        self._due[key] = min(at, self._due.get(key, at))

    def take(self, now: float) -> K | None:
        """A key that is due and not taken, the longest due first; it is taken until `put_back`."""
        free = (key for key, at in self._due.items() if at <= now and key not in self._taken)
        key = min(free, key=self._due.__getitem__, default=None)
        if key is not None:
            del self._due[key]
            self._taken.add(key)
        return key

    def put_back(self, key: K, again_at: float | None) -> None:
        """The key was worked on; it is due again at this time, or not by itself."""
        self._taken.discard(key)
        self._failures.pop(key, None)
        if again_at is not None:
            self.wake(key, again_at)

    def put_back_failed(self, key: K, now: float, not_before: float = 0) -> float:
        """Working on the key failed: it is due again after a growing, jittered delay, returned.

        Where it is known to be vain for `not_before` seconds, the delay begins after them, so that
        many keys do not come back at once, and does not grow: somebody else sets the pace.
        """
        self._taken.discard(key)
        longest = FIRST_BACKOFF
        if not not_before:
            times = self._failures[key] = self._failures.get(key, 0) + 1
            longest = min(FIRST_BACKOFF * 2 ** min(times - 1, 16), LONGEST_BACKOFF)
        seconds = longest.total_seconds()
        delay = not_before + self._jitter(seconds / 2, seconds)
        self.wake(key, now + delay)
        return delay

    def due(self, now: float) -> int:
        """How many keys are due and not taken."""
        return sum(at <= now and key not in self._taken for key, at in self._due.items())

    def next_due(self) -> float | None:
        """When the next key that is not taken is due."""
        return min((at for key, at in self._due.items() if key not in self._taken), default=None)


class WorkQueue(Generic[K]):
    """Workers that take keys off a schedule."""

    def __init__(
        self,
        work: Callable[[K], Awaitable[timedelta | None]],
        expected: type[Exception],
        workers: int = 8,
        peace: Callable[[Exception], timedelta] = lambda _: timedelta(),
    ) -> None:
        """`work` returns how long after it the key is due again, None for not by itself.

        Any error of it has the key worked on again, after the `peace` that it asks for; `expected`
        ones are logged in one line.
        """
        self._peace = peace
        self._expected = expected
        self._work = work
        self._workers = workers
        self._schedule: Schedule[K] = Schedule()
        self._changed = asyncio.Event()

    def wake(self, key: K) -> None:
        """Have the key worked on soon: also if that is happening right now."""
        self._schedule.wake(key, asyncio.get_running_loop().time())
        self._changed.set()

    def due(self) -> int:
        """How many keys wait for a worker."""
        return self._schedule.due(asyncio.get_running_loop().time())

    async def run(self) -> None:
        """Work until cancelled."""
        free = asyncio.Semaphore(self._workers)
        async with asyncio.TaskGroup() as tasks:
            while True:
                await free.acquire()
                key = await self._next()
                task = tasks.create_task(self._worked(key), name=f"reconcile {key}")
                task.add_done_callback(lambda _: free.release())

    async def _next(self) -> K:
        now = asyncio.get_running_loop().time
        while (key := self._schedule.take(now())) is None:
            self._changed.clear()
            due = self._schedule.next_due()
            try:
                async with asyncio.timeout_at(due):
                    await self._changed.wait()
            except TimeoutError:
                continue
        return key

    async def _worked(self, key: K) -> None:
        now = asyncio.get_running_loop().time
        try:
            again_after = await self._work(key)
        except Exception as error:
            # One run's trouble must not stop the others.
            not_before = self._peace(error).total_seconds()
            delay = self._schedule.put_back_failed(key, now(), not_before)
            surprise = not isinstance(error, self._expected)
            logger.warning("%s: %s; again in %.0f s", key, error, delay, exc_info=surprise)
        else:
            again_at = None if again_after is None else now() + again_after.total_seconds()
            self._schedule.put_back(key, again_at)
        self._changed.set()

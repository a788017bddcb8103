"""Which run a token speaks for: TokenReview, and the pod that the token is bound to."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Protocol

from trainingrun_operator.cluster.protocol import Caller, TokenReviewer
from trainingrun_operator.keys import Key

AUDIENCE: Final = "trainingrun.io/progress"
GOOD_FOR: Final = timedelta(seconds=60)
BAD_FOR: Final = timedelta(seconds=10)
CACHED_REVIEWS: Final = 4096
REVIEWS_AT_ONCE: Final = 8


class Pods(Protocol):
    """The pods that the watches show."""

    def run_of_pod(self, namespace: str, uid: str) -> Key | None:
        """The run that a pod is labelled with, None if there is no such pod."""


class Identities:
    """Reviews tokens, each at most once a minute; a flood of bad ones is held back."""

    def __init__(self, reviewer: TokenReviewer, pods: Pods, clock: Callable[[], datetime]) -> None:
        self._reviewer = reviewer
        self._pods = pods
        self._clock = clock
        self._reviews: OrderedDict[bytes, tuple[datetime, Caller | None]] = OrderedDict()
        self._free = asyncio.Semaphore(REVIEWS_AT_ONCE)

    async def run_of(self, token: str) -> Key | None:
        """The run that the holder of this token is a worker of, None if of none.

        Raises:
            ClusterError: the token could not be reviewed now.
        """
        caller = await self._caller(token)
        if caller is None:
            return None
        return self._pods.run_of_pod(caller.namespace, caller.pod_uid)

    async def _caller(self, token: str) -> Caller | None:
        digest = hashlib.sha256(token.encode()).digest()
        known = self._reviews.get(digest)
        if known is not None and self._clock() < known[0]:
            return known[1]
        async with self._free:
            caller = await self._reviewer.review_token(token, AUDIENCE)
        until = self._clock() + (BAD_FOR if caller is None else GOOD_FOR)
        self._reviews[digest] = (until, caller)
        self._reviews.move_to_end(digest)
        while len(self._reviews) > CACHED_REVIEWS:
            self._reviews.popitem(last=False)
        return caller

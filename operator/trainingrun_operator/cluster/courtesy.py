"""Leaves the API server alone for as long as it has asked to be."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from trainingrun_operator.cluster.protocol import UnavailableError


class Courtesy:
    """One for all requests of a client: the API server's flow control knows the account only."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        """`monotonic` gives seconds from any fixed moment."""
        self._monotonic = monotonic
        self._until = float("-inf")

    @contextmanager
    def towards(self, what: str) -> Iterator[None]:
        """A request, if this is not a time of peace. An answer with Retry-After begins one.

        Raises:
            UnavailableError: it is; nothing was sent.
        """
        if (left := self._until - self._monotonic()) > 0:
            raise UnavailableError(
                f"{what}: put off, the API server asked for {left:.0f} s of peace",
                timedelta(seconds=left),
            )
        try:
            yield
        except UnavailableError as error:
            asked = self._monotonic() + error.retry_after.total_seconds()
            self._until = max(self._until, asked)
            raise

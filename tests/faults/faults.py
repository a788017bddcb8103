"""What the proxy can do to a request, and the scripts that say to which."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

Verb = Literal["create", "patch", "update", "delete", "get", "list", "watch", "other"]
WRITES: frozenset[Verb] = frozenset({"create", "patch", "update", "delete"})

_VERBS: Mapping[str, Verb] = {
    "POST": "create",
    "PATCH": "patch",
    "PUT": "update",
    "DELETE": "delete",
}


@dataclass(frozen=True)
class Call:
    """One request to the API server. `at` is a monotonic time in seconds."""

    verb: Verb
    resource: str
    name: str
    subresource: str
    at: float

    @property
    def writes(self) -> bool:
        return self.verb in WRITES

    @classmethod
    def of(cls, method: str, path: str, query: Mapping[str, str], at: float) -> Call:
        """Read a request as the API server does; what names no resource is `other`."""
        parts = path.strip("/").split("/")
        rest = parts[2:] if parts[0] == "api" else parts[3:]
        if len(rest) > 2 and rest[0] == "namespaces":
            rest = rest[2:]
        resource, name, subresource = (*rest, "", "", "")[:3]
        verb = _VERBS.get(method, "get" if name else "list")
        if not resource:
            verb = "other"
        elif query.get("watch") == "true":
            verb = "watch"
        return cls(verb, resource, name, subresource, at)


@dataclass(frozen=True)
class Refuse:
    """Answer in the API server's place."""

    status: int
    reason: str
    message: str
    retry_after_seconds: int | None = None


@dataclass(frozen=True)
class Reset:
    """Tear the connection down, before the request was passed on or after."""

    after: bool = False


@dataclass(frozen=True)
class Silence:
    """Take the request and never answer."""


@dataclass(frozen=True)
class Delay:
    """Pass the request on later."""

    seconds: float


@dataclass(frozen=True)
class Kill:
    """Kill the operator, before the request was passed on or after; it gets no answer."""

    after: bool


Fault = Refuse | Reset | Silence | Delay | Kill
Script = Callable[[Call], Fault | None]


def never(_call: Call) -> None:
    """No fault."""


def first(times: int, which: Callable[[Call], bool], fault: Fault) -> Script:
    """The fault to the first so many calls of a kind."""
    left = itertools.chain([True] * times, itertools.repeat(False))
    return lambda call: fault if which(call) and next(left) else None


def nth_write(number: int, fault: Fault) -> Script:
    """The fault to one write, counted from 1."""
    counted = itertools.count(1)
    return lambda call: fault if call.writes and next(counted) == number else None


def every(which: Callable[[Call], bool], fault: Fault) -> Script:
    """The fault to all calls of a kind."""
    return lambda call: fault if which(call) else None


def some(share: float, *faults: Fault, seed: int = 4) -> Script:
    """One of the faults to this share of all calls, the same calls with the same seed."""
    dice = random.Random(seed)  # noqa: S311
    return lambda _call: dice.choice(faults) if dice.random() < share else None


def for_seconds(seconds: float, script: Script) -> Script:
    """The script to the calls of this time from now."""
    end = time.monotonic() + seconds
    return lambda call: script(call) if call.at < end else None


def making(*resources: str) -> Callable[[Call], bool]:
    """Calls that create objects of these resources."""
    return lambda call: call.verb == "create" and call.resource in resources


def status_write(call: Call) -> bool:
    """Calls that write a run's status."""
    return call.writes and call.subresource == "status" and call.resource == "trainingruns"

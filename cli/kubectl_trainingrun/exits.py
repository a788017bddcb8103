"""The exit statuses of the plugin, and the errors that end a verb."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What a script can tell from the exit status."""

    DONE = 0
    REFUSED = 1
    """What was asked for is wrong or cannot be, or, of `doctor`, something is in the way."""
    USAGE = 2
    """The command line is wrong."""
    CLUSTER = 3
    """The cluster, or kubectl, did not do it: the message says why."""


class RefusedError(Exception):
    """What was asked for cannot be; the message says what to do instead."""

"""What an answer of the API server means for the operator."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

import httpx2
from lightkube import ApiError

from trainingrun_operator.cluster.protocol import (
    ClusterError,
    ConflictError,
    ForbiddenError,
    GoneError,
    RefusedError,
    UnavailableError,
)

_MEANING: Final[dict[int, type[ClusterError]]] = {
    400: RefusedError,
    403: ForbiddenError,
    404: GoneError,
    409: ConflictError,
    413: RefusedError,
    422: RefusedError,
}
# A quota's refusal is a 403 too, but no matter of the operator's rights: it heals by itself.
_QUOTA: Final = "exceeded quota"
_WEBHOOK: Final = "admission webhook"
_WEBHOOK_DOWN: Final = "failed calling webhook"
_DIGITS: Final = re.compile("[0-9]{1,9}")
NO_TIME: Final = timedelta()
LONGEST_PEACE: Final = timedelta(minutes=5)
"""However long it asks for: nobody should have to restart the operator."""


@contextmanager
def typed(what: str) -> Iterator[None]:
    """Turn the client's errors into `ClusterError`s that name what was tried."""
    try:
        yield
    except ApiError as error:
        code, message = error.status.code or 0, error.status.message or str(error)
        raise _typed(meaning(code, message), f"{what}: {message}", error.response) from error
    except httpx2.HTTPStatusError as error:
        kind = meaning(error.response.status_code, error.response.text)
        told = f"{what}: HTTP {error.response.status_code}"
        raise _typed(kind, told, error.response) from error
    except httpx2.HTTPError as error:
        raise UnavailableError(f"{what}: the API server cannot be reached: {error!r}") from error


def retry_after(headers: Mapping[str, str]) -> timedelta:
    """For how long the API server asks to be left alone; nothing if it does not say.

    Kubernetes sends seconds, never the date that RFC 9110 allows beside them.
    """
    said = headers.get("Retry-After", "")
    return min(timedelta(seconds=int(said)), LONGEST_PEACE) if _DIGITS.fullmatch(said) else NO_TIME


def _typed(kind: type[ClusterError], message: str, response: httpx2.Response) -> ClusterError:
    if kind is UnavailableError:
        return UnavailableError(message, retry_after(response.headers))
    return kind(message)


def meaning(code: int, message: str) -> type[ClusterError]:
    """The kind of error behind a status code and message."""
    if _WEBHOOK_DOWN in message:
        return UnavailableError
    if _WEBHOOK in message or _QUOTA in message:
        return RefusedError
    return _MEANING.get(code, UnavailableError)

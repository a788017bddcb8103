"""What an answer of the API server means for the operator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def typed(what: str) -> Iterator[None]:
    """Turn the client's errors into `ClusterError`s that name what was tried."""
    try:
        yield
    except ApiError as error:
        code, message = error.status.code or 0, error.status.message or str(error)
        raise meaning(code, message)(f"{what}: {message}") from error
    except httpx2.HTTPStatusError as error:
        kind = meaning(error.response.status_code, error.response.text)
        raise kind(f"{what}: HTTP {error.response.status_code}") from error
    except httpx2.HTTPError as error:
        raise UnavailableError(f"{what}: the API server cannot be reached: {error!r}") from error


def meaning(code: int, message: str) -> type[ClusterError]:
    """The kind of error behind a status code and message."""
    if _WEBHOOK_DOWN in message:
        return UnavailableError
    if _WEBHOOK in message or _QUOTA in message:
        return RefusedError
    return _MEANING.get(code, UnavailableError)

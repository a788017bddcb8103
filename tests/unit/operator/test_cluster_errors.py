"""What the API server's answers mean."""

from __future__ import annotations

import pytest

from trainingrun_operator.cluster.errors import meaning
from trainingrun_operator.cluster.protocol import (
    ClusterError,
    ConflictError,
    ForbiddenError,
    GoneError,
    RefusedError,
    UnavailableError,
)


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (403, "pods is forbidden", ForbiddenError),
        (403, "exceeded quota: jobs", RefusedError),
        (400, 'admission webhook "x" denied the request: no', RefusedError),
        (500, 'failed calling webhook "x": connection refused', UnavailableError),
        (422, "invalid", RefusedError),
        (409, "conflict", ConflictError),
        (404, "gone", GoneError),
        (429, "slow down", UnavailableError),
        (503, "away", UnavailableError),
    ],
)
def test_an_answer_means(code: int, message: str, kind: type[ClusterError]) -> None:
    assert meaning(code, message) is kind

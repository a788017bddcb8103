"""Raw objects are read leniently, and what matters in them is found."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trainingrun_operator.api.status import Status
from trainingrun_operator.lifecycle.observed import Job, Pod, parse_status

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
FIELDS = ("metadata", "spec", "status", "labels", "conditions", "containerStatuses", "state")


# Drawing is slow on a loaded machine; that says nothing of the code.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_no_object_stops_the_operator(raw: dict[str, Any]) -> None:
    raw["status"] = {**raw} if isinstance(raw.get("status"), dict) else raw.get("status")
    Pod.parse(raw)
    Job.parse(raw)
    parse_status(raw)


def test_conditions_that_do_not_hold_are_left_out() -> None:
    conditions = [
        {"type": "Running", "status": "False", "message": "was"},
        {"type": "Succeeded", "status": "True", "message": "done"},
    ]

    job = Job.parse({"metadata": {"name": "squad"}, "status": {"conditions": conditions}})

    assert (job.holds("Running"), job.holds("Succeeded"), job.finished) == (False, True, True)


def test_only_a_controlling_owner_is_the_owner() -> None:
    owners = [{"uid": "other"}, {"uid": "ours", "controller": True}]

    assert Job.parse({"metadata": {"ownerReferences": owners}}).owner_uid == "ours"


def test_a_workers_last_words_are_parsed() -> None:
    words = json.dumps({"failure": {"reason": "R", "message": "M"}})

    termination = pod_with({"terminated": {"exitCode": 64, "message": words}}).termination

    assert termination is not None
    assert termination.exit_code == 64
    assert termination.message is not None
    assert termination.message.failure is not None
    assert termination.message.failure.message == "M"


def test_last_words_that_are_not_ours_are_kept_as_text() -> None:
    termination = pod_with({"terminated": {"exitCode": 1, "message": "boom"}}).termination

    assert termination is not None
    assert (termination.message, termination.text) == (None, "boom")


def test_a_container_that_waits_is_told_with_its_image() -> None:
    waiting = pod_with({"waiting": {"reason": "ErrImagePull", "message": "no"}}).waiting

    assert waiting is not None
    assert (waiting.reason, waiting.message, waiting.image) == ("ErrImagePull", "no", "image:1")


@pytest.mark.parametrize("status", [None, {"phase": "Nonsense"}, {"conditions": "none"}])
def test_a_status_that_cannot_be_read_is_empty(status: Any) -> None:
    assert parse_status({"status": status}) == Status()


def pod_with(state: dict[str, Any]) -> Pod:
    return Pod.parse(
        {
            "metadata": {"name": "squad-worker-0", "uid": "1"},
            "spec": {"containers": [{"name": "pytorch", "image": "image:1"}]},
            "status": {"containerStatuses": [{"name": "pytorch", "state": state}]},
        }
    )

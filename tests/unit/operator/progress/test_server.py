"""The progress endpoint's answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from tests.unit.operator.clusters import KEY, Clock
from tests.unit.operator.progress.test_identity import identities
from trainingrun_operator.keys import Key
from trainingrun_operator.progress.server import ProgressServer, split_address
from trainingrun_operator.progress.store import ReportStore
from trainingrun_trainer.report import Report

URL = "/v1/namespaces/ml/trainingruns/squad/status"
GOOD = {"Authorization": "Bearer good"}
BODY: dict[str, Any] = {"trainerStatus": {"progressPercentage": 10}}


@dataclass
class Endpoint:
    """A server to post to, and what comes of it."""

    client: TestClient[Any, Any]
    store: ReportStore
    clock: Clock
    woken: list[Key] = field(default_factory=list)

    async def post(self, body: Any = BODY, url: str = URL, **headers: Any) -> int:
        answer = await self.client.post(url, json=body, headers=headers or GOOD)
        return answer.status


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    clock, store, woken = Clock(), ReportStore(), []
    known, _ = identities(clock)
    uids = {KEY: "run-uid"}
    server = ProgressServer(known, store, uids.get, woken.append, clock)
    async with TestClient(TestServer(server.application())) as client:
        yield Endpoint(client, store, clock, woken)


async def test_a_report_is_kept_and_wakes_its_run(endpoint: Endpoint) -> None:
    assert await endpoint.post() == 200

    received = endpoint.store.newest(KEY, "run-uid")
    assert received is not None
    assert received.report.trainer_status.progress_percentage == 10
    assert endpoint.woken == [KEY]


async def test_fields_of_a_newer_trainer_do_no_harm(endpoint: Endpoint) -> None:
    assert await endpoint.post({**BODY, "tomorrow": True}) == 200


async def test_a_second_report_within_a_second_is_put_off(endpoint: Endpoint) -> None:
    first, second = await endpoint.post(), await endpoint.post()
    endpoint.clock.forward(1)

    assert (first, second, await endpoint.post()) == (200, 429, 200)


@pytest.mark.parametrize("header", ["", "Basic good", "Bearer", "Bearer forged"])
async def test_a_post_without_a_good_token_is_refused(endpoint: Endpoint, header: str) -> None:
    assert await endpoint.post(Authorization=header) == 401


async def test_a_worker_may_not_report_for_another_run(endpoint: Endpoint) -> None:
    assert await endpoint.post(url=URL.replace("squad", "other")) == 403


async def test_refused_posts_do_not_count_against_the_run(endpoint: Endpoint) -> None:
    await endpoint.post(Authorization="Bearer forged")

    assert await endpoint.post() == 200


@pytest.mark.parametrize("body", [[], {}, {"trainerStatus": {"progressPercentage": 101}}])
async def test_a_body_that_is_no_report_is_refused(endpoint: Endpoint, body: Any) -> None:
    assert await endpoint.post(body) == 400
    assert endpoint.woken == []


async def test_a_body_that_is_too_large_is_refused(endpoint: Endpoint) -> None:
    assert await endpoint.post({**BODY, "padding": "x" * 70_000}) == 413


def test_a_report_of_an_earlier_run_of_the_name_is_not_shown() -> None:
    store = ReportStore()
    store.put(KEY, "run-uid", Report.model_validate(BODY), Clock()())

    assert store.newest(KEY, "later-uid") is None


@pytest.mark.parametrize(
    ("address", "parts"), [("127.0.0.1:8443", ("127.0.0.1", 8443)), ("[::1]:80", ("::1", 80))]
)
def test_an_address_is_host_and_port(address: str, parts: tuple[str, int]) -> None:
    assert split_address(address) == parts


def test_an_address_without_a_port_is_refused() -> None:
    with pytest.raises(ValueError, match="write host:port"):
        split_address("localhost")

"""The local page, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from kubectl_trainingrun.cluster import RUNS
from kubectl_trainingrun.ui.server import Pages
from tests.unit.cli.clusters import FakeCluster, claim, condition, history, pod, run

HOSTILE = "</pre><script>alert('x')</script>\"'&{{ 7 * 7 }}"
NOW = datetime(2026, 1, 1, 1, tzinfo=UTC)

Client = TestClient[Any, Any]


class Tags(HTMLParser):
    """What a browser would see."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
async def client(cluster: FakeCluster) -> AsyncIterator[Client]:
    """A browser of this machine."""
    pages = Pages(lambda _: cluster, everywhere=True, clock=lambda: NOW)
    async with TestClient(TestServer(pages.application())) as client:
        yield client


def all_of_a_run(text: str) -> dict[str, Any]:
    """A run in which everything that a user or a pod can write is this text."""
    restart = {"at": "2026-01-01T00:03:10Z", "cause": "RankFailed", "detail": text}
    record = {"step": 40, "path": text, "sizeBytes": 1, "worldSize": 2, "verified": False}
    return run(
        "Running",
        message=text,
        conditions=[condition("Running", "True", "WorkersRunning", text)],
        plan=[{"name": text, "value": text, "reason": text}],
        progress={"step": 40, "totalSteps": 100, "steps": "40/100", "loss": 1.25},
        restarts={
            "total": 1,
            "recent": [{**restart, "fromStep": 30, "resumedStep": 20, "lostSteps": 10}],
        },
        checkpoints={"recent": [{**record, "problem": text}]},
    )


async def page(client: Client, path: str, status: int = 200) -> Tags:
    answer = await client.get(path)
    assert answer.status == status
    return Tags(await answer.text())


async def test_the_first_page_links_every_run(client: Client, cluster: FakeCluster) -> None:
    cluster.add(RUNS, run("Running"))

    answer = await client.get("/")

    assert '<a href="/runs/ml/squad">squad</a>' in await answer.text()


async def test_a_runs_page_shows_its_course_plan_conditions_and_log(
    client: Client, cluster: FakeCluster
) -> None:
    cluster.add(RUNS, all_of_a_run("because"))
    cluster.add("configmaps", history())
    cluster.add("pods", pod(0))
    cluster.lines = ["step 40/100  loss 1.250"]

    seen = await page(client, "/runs/ml/squad")

    for title in ("Course", "Restarts", "Checkpoints", "Conditions", "Plan", "Log of worker 0"):
        assert title in seen.text
    assert seen.names.count("polyline") == 6  # three panels, each broken by one restart
    assert "step 40/100" in seen.text


async def test_what_is_in_the_way_stands_on_the_page(client: Client, cluster: FakeCluster) -> None:
    cluster.add(RUNS, run("Pending"))
    cluster.add("persistentvolumeclaims", claim("Pending"))
    cluster.forbidden = {"deployments.apps"}

    seen = await page(client, "/runs/ml/squad")

    assert "claim data is Pending" in seen.text


async def test_nothing_that_a_cluster_says_becomes_markup(
    client: Client, cluster: FakeCluster
) -> None:
    cluster.add(RUNS, all_of_a_run("plain"))
    cluster.add("pods", pod(0))
    cluster.lines = ["plain"]
    plain = await page(client, "/runs/ml/squad")
    cluster.add(RUNS, all_of_a_run(HOSTILE))
    cluster.lines = [HOSTILE]

    hostile = await page(client, "/runs/ml/squad")

    assert hostile.names == plain.names
    assert HOSTILE in hostile.text


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil:80"])
async def test_a_request_for_another_host_is_refused(host: str, client: Client) -> None:
    answer = await client.get("/", headers={"Host": host})
    assert (answer.status, "runs" in await answer.text()) == (421, False)


@pytest.mark.parametrize("path", ["/runs/ml/squad", "/nothing", "/runs/ml/--all", "/../x"])
async def test_what_is_not_there_is_not_found(path: str, client: Client) -> None:
    assert (await client.get(path)).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_nothing_can_be_changed(method: str, client: Client) -> None:
    assert (await client.request(method, "/")).status == 405


async def test_a_cluster_that_says_no_is_quoted(client: Client, cluster: FakeCluster) -> None:
    cluster.forbidden = {RUNS}
    seen = await page(client, "/", 502)
    assert "are forbidden" in seen.text


@pytest.mark.parametrize("path", ["/", "/style.css", "/refresh.js", "/nothing"])
async def test_every_answer_forbids_other_sites_to_use_it(path: str, client: Client) -> None:
    headers = (await client.get(path)).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"

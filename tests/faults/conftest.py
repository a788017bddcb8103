"""A proxy and a witness for each test; the table of recovery times at the end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from lightkube import Client

from tests.api.cluster import Namespace
from tests.api.conftest import (
    api_server,
    client,
    fresh_namespace,
    namespace,
    options,
    options_for,
)
from tests.api.manifests import Object
from tests.api.running import CountingCluster, operator
from tests.api.server import ApiServer
from tests.faults import recovery
from tests.faults.invariants import Witness, end_state
from tests.faults.life import live
from tests.faults.proxy import Proxy, proxied
from tests.faults.recovery import Recorder, Recovery
from trainingrun_operator.options import Options

__all__ = ["api_server", "client", "namespace", "options"]

RECOVERIES: Final = pytest.StashKey[list[Recovery]]()
LINES: Final = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--write-failure-modes` puts the table into the docs."""
    parser.addoption("--write-failure-modes", action="store_true", help="update the docs' table")
    parser.addoption("--full-length", action="store_true", help="faults of minutes, not seconds")


def pytest_configure(config: pytest.Config) -> None:
    """Nothing is measured yet."""
    config.stash[RECOVERIES] = []
    config.stash[LINES] = []


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print what was measured."""
    for line in config.stash[LINES]:
        terminalreporter.write_line(line)
    if recoveries := config.stash[RECOVERIES]:
        terminalreporter.write_sep("=", "recovery times")
        terminalreporter.write_line(recovery.table(recoveries))
        if config.getoption("--write-failure-modes", default=False):
            recovery.write(recoveries)


FULL_LENGTH: Final = {
    "outage_seconds": [30, 180],
    "storm_seconds": [120],
    "errors_seconds": [300],
    "inactivity_seconds": [70],
}
"""As long as outside; 70 s is the operator's own patience with a silent watch."""
SHORT: Final = {
    "outage_seconds": [5],
    "storm_seconds": [8],
    "errors_seconds": [10],
    "inactivity_seconds": [5],
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """How long the faults last."""
    lengths = FULL_LENGTH if metafunc.config.getoption("--full-length") else SHORT
    for name in lengths.keys() & set(metafunc.fixturenames):
        metafunc.parametrize(name, lengths[name], ids=lambda seconds: f"{seconds} s")


@pytest.fixture
def recorder(request: pytest.FixtureRequest) -> Recorder:
    """Takes this test's recovery times."""
    return Recorder(request.node.originalname, request.config.stash[RECOVERIES])


@pytest.fixture
def report(request: pytest.FixtureRequest) -> list[str]:
    """Lines to print at the session's end."""
    return request.config.stash[LINES]


@pytest.fixture
def fresh(client: Client, api_server: ApiServer) -> Iterator[Callable[[], Namespace]]:
    """Makes one new namespace after the other."""
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(fresh_namespace(client, api_server))


@pytest.fixture
def through(
    api_server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Proxy, ApiServer]]:
    """The proxy, and the API server as the operator sees it."""
    with proxied(api_server, tmp_path) as (proxy, server):
        monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig))
        yield proxy, server


@pytest.fixture
def proxy(through: tuple[Proxy, ApiServer]) -> Proxy:
    """Between the operator and the API server."""
    return through[0]


@pytest.fixture
def server(through: tuple[Proxy, ApiServer]) -> ApiServer:
    """The API server behind the proxy."""
    return through[1]


@pytest.fixture
def witness(namespace: Namespace) -> Iterator[Witness]:
    """Has seen all states of the namespace's runs, and holds two objects of a stranger."""
    with Witness(namespace) as witness:
        yield witness


@pytest.fixture
def started(server: ApiServer, options: Options, witness: Witness) -> Iterator[CountingCluster]:
    """An operator behind the proxy, in this process."""
    with operator(server, options) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def unbroken(api_server: ApiServer, client: Client) -> Object:
    """The end state of a life without a fault."""
    with fresh_namespace(client, api_server) as namespace:
        with operator(api_server, options_for(namespace)):
            live(namespace)
        return end_state(namespace)

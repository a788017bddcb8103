"""Liveness: dead watches are found out, an absent API server is not held against them."""

from __future__ import annotations

from datetime import timedelta

from tests.unit.operator.clusters import Clock
from trainingrun_operator.cluster.protocol import UnavailableError
from trainingrun_operator.health import Health, Versions
from trainingrun_operator.keys import Key

KEY = Key("ml", "squad")


def health(listed: Versions | Exception, *shown: Versions) -> Health:
    """`shown` are the answers of the watches, one look after the other."""
    looks = iter(shown)

    async def listing() -> Versions:
        if isinstance(listed, Exception):
            raise listed
        return listed

    clock = Clock()
    return Health(listing, lambda: next(looks), timedelta(), timedelta(), clock)


async def test_watches_that_show_all_are_well() -> None:
    checked = health({KEY: "5"}, {KEY: "5"}, {KEY: "5"})
    await checked.audit()
    assert checked.trouble is None


async def test_watches_that_catch_up_are_well() -> None:
    checked = health({KEY: "5"}, {KEY: "4"}, {KEY: "4"}, {KEY: "6"})
    await checked.audit()
    assert checked.trouble is None


async def test_a_run_that_the_watches_never_show_is_trouble() -> None:
    checked = health({KEY: "5"}, {}, {}, {})
    await checked.audit()
    assert checked.trouble == "the watches have not shown ml/squad"


async def test_a_run_that_changes_while_it_is_listed_is_no_trouble() -> None:
    checked = health({KEY: "5"}, {KEY: "4"}, {KEY: "6"})
    await checked.audit()
    assert checked.trouble is None


async def test_a_run_that_is_older_than_it_was_shown_is_trouble() -> None:
    checked = health({KEY: "5"}, {KEY: "6"})
    await checked.audit()
    assert checked.trouble == "the cluster's state went back: ml/squad"


async def test_an_api_server_that_is_away_is_no_trouble_of_the_watches() -> None:
    checked = health(UnavailableError("away"), {})
    await checked.audit()
    assert checked.trouble is None

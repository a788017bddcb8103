"""A task learns the same whatever the number of ranks. Two tasks stand for all; the others are in
`tests/long`."""

from __future__ import annotations

import pytest

from tests.ranks.small_tasks import Seen, check_the_same, trained

NAMES = ("questions", "tags")
"""Windows of a context, and entities of a sentence: whose ranks put most together."""

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return trained(NAMES, tmp_path_factory.mktemp("tasks"))


@pytest.mark.parametrize("name", NAMES)
def test_two_ranks_learn_the_same_as_one(name: str, seen: Seen) -> None:
    check_the_same(name, seen)

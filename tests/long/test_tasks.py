"""Every task learns the same whatever the number of ranks."""

from __future__ import annotations

import pytest

from tests.ranks.small_tasks import TASKS, Seen, check_the_same, trained

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return trained(TASKS, tmp_path_factory.mktemp("tasks"))


@pytest.mark.parametrize("name", TASKS)
def test_two_ranks_learn_the_same_as_one(name: str, seen: Seen) -> None:
    check_the_same(name, seen)

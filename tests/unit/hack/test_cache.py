"""The cache folder: whole things only."""

import threading
from pathlib import Path

import pytest

from hack import cache


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAININGRUN_CACHE", str(tmp_path))


def test_the_variable_decides_where_it_is(tmp_path: Path) -> None:
    assert cache.root() == tmp_path


def test_without_the_variable_it_is_where_caches_belong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRAININGRUN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/home/ada/cache")

    assert cache.root() == Path("/home/ada/cache/trainingrun")


def test_a_folder_that_could_not_be_filled_is_not_there(tmp_path: Path) -> None:
    def fail(draft: Path) -> None:
        (draft / "half").write_text("")
        raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError):
        cache.make_folder(tmp_path / "programs", fail)

    assert list(tmp_path.iterdir()) == []


def test_a_file_is_written_whole_with_its_mode(tmp_path: Path) -> None:
    path = cache.write(tmp_path / "deep" / "runc", "#!/bin/sh\n", mode=0o755)

    assert path.read_text() == "#!/bin/sh\n"
    assert path.stat().st_mode & 0o777 == 0o755
    assert [item.name for item in path.parent.iterdir()] == ["runc"]


def test_the_second_to_take_a_lock_waits_and_says_for_whom() -> None:
    said: list[str] = []
    order: list[str] = []

    def second() -> None:
        with cache.lock("cluster", said.append):
            order.append("second")

    with cache.lock("cluster", said.append):
        thread = threading.Thread(target=second)
        thread.start()
        while not said:
            thread.join(0.01)
        order.append("first")
    thread.join(10)

    assert order == ["first", "second"]
    assert "waiting for process" in said[0]

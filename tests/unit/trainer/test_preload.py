"""Libraries that take the place of others: where they come from, and what ends a run by name."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from trainingrun_trainer.config import Cpu
from trainingrun_trainer.errors import UserError
from trainingrun_trainer.image_manifest import PATH_VARIABLE
from trainingrun_trainer.report import ExitCode, TerminationMessage
from trainingrun_trainer.stack import preload

LIBRARIES = next(Path("/").glob("lib/*-linux-gnu/libresolv.so.2")).parent
FIRST, SECOND = str(LIBRARIES / "libresolv.so.2"), str(LIBRARIES / "libanl.so.1")


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The manifest of an image that has tcmalloc and Intel's OpenMP, or says so."""
    path = tmp_path / "image.json"
    declare(path, {"tcmalloc": FIRST, "intel-openmp": SECOND})
    return path


def declare(path: Path, libraries: dict[str, str]) -> None:
    path.write_text(json.dumps({"runtime": "cpu", "torch": "2.15.0", "libraries": libraries}))


def wanted(image: Path, cpu: dict[str, Any] | None = None, **env: str) -> tuple[str, ...]:
    return preload.wanted(Cpu.model_validate(cpu or {}), {PATH_VARIABLE: str(image), **env})


def refusal(image: Path, cpu: dict[str, Any] | None = None, **env: str) -> UserError:
    with pytest.raises(UserError) as caught:
        wanted(image, cpu, **env)
    return caught.value


def test_auto_takes_the_default_allocator_where_the_image_has_it(image: Path) -> None:
    assert wanted(image) == (FIRST,)


def test_auto_takes_the_systems_allocator_where_the_image_has_no_other(image: Path) -> None:
    declare(image, {})
    assert wanted(image) == ()


def test_outside_of_an_image_auto_preloads_nothing(tmp_path: Path) -> None:
    assert wanted(tmp_path / "none.json") == ()


def test_the_systems_allocator_is_had_by_preloading_none(image: Path) -> None:
    assert wanted(image, {"allocator": "system"}) == ()


def test_an_allocator_and_an_openmp_are_had_together(image: Path) -> None:
    assert wanted(image, {"allocator": "tcmalloc", "openmp": "intel"}) == (FIRST, SECOND)


def test_a_library_that_the_image_lacks_is_named(image: Path) -> None:
    error = refusal(image, {"allocator": "jemalloc"})
    assert error.field == "spec.cpu.allocator"
    assert error.message == (
        f"this image has no jemalloc: its manifest {image} declares intel-openmp, tcmalloc; "
        "write auto, or use an image that has it"
    )


def test_an_image_without_a_manifest_has_no_library_to_ask_for(tmp_path: Path) -> None:
    error = refusal(tmp_path / "none.json", {"openmp": "intel"})
    assert error.field == "spec.cpu.openmp"
    assert "none.json is not there" in error.message


def test_a_wrong_path_in_the_manifest_is_named(image: Path) -> None:
    declare(image, {"tcmalloc": "/usr/lib/libtcmalloc.so.99"})
    assert refusal(image).message == (
        f"/usr/lib/libtcmalloc.so.99, which the image's manifest {image} names, cannot be "
        "preloaded: No such file or directory; build the image anew, or correct the path"
    )


def test_a_file_that_is_no_library_is_named(image: Path, tmp_path: Path) -> None:
    text = tmp_path / "libtcmalloc.so"
    text.write_text("INPUT(elsewhere)")
    declare(image, {"tcmalloc": str(text)})
    assert "it is no library for this processor" in refusal(image).message


def test_a_users_own_library_comes_after_ours(image: Path) -> None:
    assert wanted(image, LD_PRELOAD=SECOND) == (FIRST, SECOND)


def test_a_users_own_library_that_is_missing_is_named(image: Path) -> None:
    message = refusal(image, LD_PRELOAD="/opt/mine.so").message
    assert message.startswith("/opt/mine.so, which LD_PRELOAD of the environment names, cannot")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/usr/lib/x86_64-linux-gnu/libtcmalloc.so.4.5.9", "spec.cpu.allocator"),
        ("libjemalloc.so.2", "spec.cpu.allocator"),
        ("/usr/local/lib/libiomp5.so", "spec.cpu.openmp"),
        ("libgomp.so.1", "spec.cpu.openmp"),
    ],
)
def test_what_a_field_chooses_is_not_preloaded_by_hand(image: Path, path: str, field: str) -> None:
    error = refusal(image, LD_PRELOAD=path)
    assert error.field == field
    assert f"LD_PRELOAD names {path}" in error.message


def test_a_library_that_the_loader_left_out_is_named() -> None:
    with pytest.raises(UserError, match=r"/opt/lost\.so was to be preloaded"):
        preload.must_be_mapped(["/opt/lost.so"], frozenset({FIRST}))


SHOW = """
import os, signal, sys
from trainingrun_trainer.config import Cpu
from trainingrun_trainer.stack import preload
if "asked" in sys.argv:
    preload.ensure(Cpu(), os.environ, lambda: True, sys.orig_argv)
else:
    preload.ensure(Cpu(), os.environ, lambda: False, sys.orig_argv)
print(os.environ["LD_PRELOAD"], signal.sigpending())
print([line.split()[-1] for line in open("/proc/self/maps") if "libresolv" in line][0])
"""


def started(image: Path, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", SHOW, *arguments],
        env={**os.environ, PATH_VARIABLE: str(image)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_the_program_starts_anew_with_the_library_loaded(image: Path) -> None:
    preloaded, mapped = started(image).splitlines()
    assert preloaded.split()[0] == FIRST
    assert mapped == os.path.realpath(FIRST)


def test_a_signal_that_came_before_the_new_start_is_not_lost(image: Path) -> None:
    assert str(signal.SIGTERM) in started(image, "asked")


def test_a_run_whose_library_is_missing_ends_as_the_users_error(
    image: Path, tmp_path: Path
) -> None:
    declare(image, {"tcmalloc": "/usr/lib/libtcmalloc.so.99"})
    (tmp_path / "run.json").write_text(
        json.dumps(
            {
                "run": {"name": "test"},
                "folder": str(tmp_path / "run"),
                "task": {"type": "causal-lm"},
                "model": {"name": "/model"},
                "data": {"train": "/data"},
                "training": {"maxSteps": 1},
                "cpu": {"allocator": "tcmalloc"},
            }
        )
    )
    ended = subprocess.run(
        [sys.executable, "-m", "trainingrun_trainer", "--config", str(tmp_path / "run.json")],
        env={
            **os.environ,
            PATH_VARIABLE: str(image),
            "TRAININGRUN_TERMINATION_LOG": str(tmp_path / "termination-log"),
        },
        check=False,
        capture_output=True,
        text=True,
    )
    failure = TerminationMessage.model_validate_json(
        (tmp_path / "termination-log").read_bytes()
    ).failure
    assert ended.returncode == ExitCode.USER_ERROR
    assert failure is not None
    assert "/usr/lib/libtcmalloc.so.99" in failure.message
    assert failure.message in ended.stderr

"""What an image says about itself, and how it comes to know."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from trainingrun_trainer import describe
from trainingrun_trainer.image_manifest import PATH_VARIABLE, ImageManifest, Library, Runtime

A_LIBRARY = next(Path("/").glob("lib/*-linux-gnu/libresolv.so.2"))


@pytest.fixture
def libraries(tmp_path: Path) -> Path:
    """A folder with a real library under every name that an image needs."""
    folder = tmp_path / "lib"
    folder.mkdir()
    for name in ("libtcmalloc_minimal.so.4", "libjemalloc.so.2", "libiomp5.so"):
        (folder / name).write_bytes(A_LIBRARY.read_bytes())
    return folder


def test_an_image_declares_libraries_that_were_loaded(tmp_path: Path, libraries: Path) -> None:
    output = tmp_path / "image.json"
    describe.main(
        ["--runtime", "cpu", "--libraries", str(libraries), "--output", str(output)],
    )
    made = ImageManifest.read({PATH_VARIABLE: str(output)})
    assert made is not None
    assert made.runtime is Runtime.CPU
    assert made.libraries[Library.TCMALLOC] == str(libraries / "libtcmalloc_minimal.so.4")
    assert "libgomp" in made.libraries[Library.GNU_OPENMP]


def test_a_library_that_cannot_be_loaded_fails_the_image(tmp_path: Path, libraries: Path) -> None:
    (libraries / "libjemalloc.so.2").write_bytes(b"not a library")
    arguments = ["--runtime", "cpu", "--libraries", str(libraries)]
    with pytest.raises(OSError, match=r"libjemalloc\.so\.2 cannot be preloaded"):
        describe.main([*arguments, "--output", str(tmp_path / "image.json")])


def test_a_library_that_is_missing_fails_the_image(tmp_path: Path, libraries: Path) -> None:
    (libraries / "libtcmalloc_minimal.so.4").unlink()
    with pytest.raises(FileNotFoundError, match="libtcmalloc_minimal"):
        describe.main(["--runtime", "cpu", "--libraries", str(libraries)])


def test_outside_of_an_image_there_is_no_manifest(tmp_path: Path) -> None:
    assert ImageManifest.read({PATH_VARIABLE: str(tmp_path / "none.json")}) is None


def test_a_manifest_names_known_libraries_by_absolute_paths_only(tmp_path: Path) -> None:
    path = tmp_path / "image.json"
    path.write_text(
        json.dumps({"runtime": "cpu", "torch": "2.15.0", "libraries": {"tcmalloc": "libtc.so"}})
    )
    with pytest.raises(ValidationError, match="libraries"):
        ImageManifest.read({PATH_VARIABLE: str(path)})

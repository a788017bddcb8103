"""`python -m trainingrun_trainer.describe --runtime cpu`: writes its image's manifest.

Every library it names was loaded first, as the launcher will have it loaded: a library that is
missing or cannot be loaded fails the build, not a run.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

from trainingrun_trainer.image_manifest import PATH, ImageManifest, Library, Runtime

FOLDER: Final = Path("/opt/trainingrun/lib")
NAMES: Final = {
    Library.TCMALLOC: "libtcmalloc_minimal.so.*",
    Library.JEMALLOC: "libjemalloc.so.*",
    Library.INTEL_OPENMP: "libiomp5.so",
}
INTEL: Final = platform.machine() == "x86_64"
"""Intel publishes its OpenMP for its own processors' architecture only."""
TORCHS_OPENMP: Final = ("torch/lib/libgomp*.so*", "torch.libs/libgomp*.so*")
"""Wheels of torch bring their own, in one folder or the other."""


def main(arguments: list[str]) -> None:
    """Writes the manifest.

    Raises:
        FileNotFoundError: a library is not where it should be.
        OSError: a library cannot be loaded.
    """
    parser = argparse.ArgumentParser(prog="describe", description=__doc__)
    parser.add_argument("--runtime", type=Runtime, required=True, choices=list(Runtime))
    parser.add_argument("--libraries", type=Path, default=FOLDER, help="what can be preloaded")
    parser.add_argument("--output", type=Path, default=PATH)
    options = parser.parse_args(arguments)
    packages = Path(sysconfig.get_path("purelib"))
    here = [library for library in NAMES if library is not Library.INTEL_OPENMP or INTEL]
    made = ImageManifest(
        runtime=options.runtime,
        torch=version("torch"),
        libraries={
            **{name: str(the_one(options.libraries, (NAMES[name],))) for name in here},
            Library.GNU_OPENMP: str(the_one(packages, TORCHS_OPENMP)),
        },
    )
    for path in made.libraries.values():
        must_load(path)
    options.output.write_text(made.model_dump_json(by_alias=True, indent=2) + "\n")
    print(options.output.read_text(), end="")


def the_one(folder: Path, patterns: Sequence[str]) -> Path:
    """The one file that matches.

    Raises:
        FileNotFoundError: there is none, or more than one.
    """
    found = sorted(path for pattern in patterns for path in folder.glob(pattern))
    if len(found) != 1:
        raise FileNotFoundError(f"{folder}/{' or '.join(patterns)} should be one file: {found}")
    return found[0]


def must_load(path: str) -> None:
    """Returns if a program that is started with it preloaded has it mapped.

    Raises:
        OSError: the loader left it out.
    """
    maps = subprocess.run(
        [sys.executable, "-c", "print(open('/proc/self/maps').read())"],
        env={**os.environ, "LD_PRELOAD": path},
        check=True,
        capture_output=True,
        text=True,
    )
    if os.path.realpath(path) not in maps.stdout:
        raise OSError(f"{path} cannot be preloaded: {maps.stderr.strip()}")


if __name__ == "__main__":
    main(sys.argv[1:])

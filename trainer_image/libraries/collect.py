"""Copies the libraries that can be preloaded into one folder, each a plain file under its soname.

The allocators come from Debian's packages, Intel's OpenMP from the package index: of its wheel of
200 MB, most of it for GPUs, one file of 3 MB is wanted.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Final

ALLOCATORS: Final = ("libtcmalloc_minimal.so.4", "libjemalloc.so.2")
OPENMP: Final = "libiomp5.so"


def main(lock: Path, folder: Path) -> None:
    """Fills the folder, which it makes."""
    folder.mkdir(parents=True)
    for name in ALLOCATORS:
        found = next(Path("/usr/lib").glob(f"*/{name}"))
        shutil.copyfile(found, folder / name)
    with tempfile.TemporaryDirectory() as wheels:
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
                *("--require-hashes", "--requirement", str(lock), "--dest", wheels),
            ],
            check=True,
        )
        for wheel in Path(wheels).glob("*.whl"):
            with zipfile.ZipFile(wheel) as opened:
                inside = next(n for n in opened.namelist() if n.endswith(f"/lib/{OPENMP}"))
                (folder / OPENMP).write_bytes(opened.read(inside))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

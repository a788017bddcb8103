"""Deletes CUDA's libraries that training on CPUs does not load.

The package index has torch for CUDA only, with gigabytes of libraries of which an import maps a
few. Which ones is not guessed: a real train step tells. Where torch came from the CPU index,
nothing is found and nothing deleted.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_CUDA_PACKAGES: Final = ("nvidia", "triton")
_ELF: Final = b"\x7fELF"


def main(venv: Path) -> None:
    """Deletes, and prints the size of the environment before and after."""
    before = _size(venv)
    smoke = Path(__file__).with_name("smoke.py")
    mapped = subprocess.run(
        [sys.executable, str(smoke), "--mapped"], check=True, text=True, stdout=subprocess.PIPE
    ).stdout.splitlines()
    needed = {Path(name).resolve() for name in mapped}
    for file in cuda_binaries(venv):
        if file.resolve() not in needed:
            file.unlink()
    print(
        f"{venv}: {before / 1e9:.2f} GB, {_size(venv) / 1e9:.2f} GB without unused CUDA libraries"
    )


def cuda_binaries(venv: Path) -> Iterator[Path]:
    """Libraries and programs of the CUDA packages."""
    for packages in venv.glob("lib/python*/site-packages"):
        for name in _CUDA_PACKAGES:
            for file in (packages / name).rglob("*"):
                if file.is_file() and not file.is_symlink() and _starts_with(file, _ELF):
                    yield file


def _starts_with(file: Path, magic: bytes) -> bool:
    with file.open("rb") as opened:
        return opened.read(len(magic)) == magic


def _size(folder: Path) -> int:
    return sum(
        file.stat().st_size
        for file in folder.rglob("*")
        if file.is_file() and not file.is_symlink()
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))

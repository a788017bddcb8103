"""Installs what the lock pins; torch alone may come from an index of its own.

Wheels of PyTorch's CPU index are other files than the package index's of the same version, so
their hashes are not in the lock: from there only the version is pinned, over TLS.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

_TORCH_AND_ITS_CUDA: Final = re.compile(r"^(torch|triton|nvidia-[a-z0-9-]+|cuda-[a-z]+)==")


def main(lock: Path, torch_index: str) -> None:
    """Installs into the environment of this interpreter."""
    if not torch_index:
        _pip("--require-hashes", "--requirement", str(lock))
        return
    pins = requirements(lock.read_text())
    torch = next(pin for pin in pins if pin.startswith("torch=="))
    _pip("--index-url", torch_index, "--no-deps", torch.split()[0])
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as rest:
        rest.write("\n".join(pin for pin in pins if not _TORCH_AND_ITS_CUDA.match(pin)))
        rest.flush()
        _pip("--require-hashes", "--no-deps", "--requirement", rest.name)


def requirements(lock: str) -> list[str]:
    """The lock's requirements, each with its marker and hashes on one line."""
    return [line for line in lock.replace("\\\n", " ").splitlines() if "==" in line]


def _pip(*arguments: str) -> None:
    # seqeval has no wheel; Debian's pip would run its setup.py without what that needs.
    command = (sys.executable, "-m", "pip", "install", "--quiet", "--use-pep517")
    subprocess.run([*command, *arguments], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

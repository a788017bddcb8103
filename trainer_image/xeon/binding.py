"""Installs oneCCL's binding for torch from Intel's own package index, if the build names it.

It is on no other index. Its hash is an argument as well: what an index serves under a version may
change, and the lock cannot hold what nobody without access to it can check.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from typing import Final

_PIN: Final = "oneccl_bind_pt==2.8.0"


def main(index: str, sha256: str) -> None:
    """Installs into the environment of this interpreter; without an index nothing.

    Raises:
        SystemExit: the hash is missing or is none.
    """
    if not index:
        print("ONECCL_INDEX is not given: this image has no ccl, its runs use gloo and say so")
        return
    if not re.fullmatch("[0-9a-f]{64}", sha256):
        sys.exit("ONECCL_SHA256 must be the wheel's SHA-256 in 64 hexadecimal digits")
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as pinned:
        pinned.write(f"{_PIN} --hash=sha256:{sha256}\n")
        pinned.flush()
        command = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps")
        hashes = ("--index-url", index, "--require-hashes", "--requirement", pinned.name)
        subprocess.run([*command, *hashes], check=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])

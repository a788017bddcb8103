"""The lock files: one for everything, and what each image needs of it."""

import difflib
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hack.environment import LOCK, ROOT, uv, uv_environment


@dataclass(frozen=True)
class Lock:
    """One lock file. Without extras it holds them all; with them, a part of the whole lock.

    `instead` is a file of requirements that take the place of the whole lock's torch, for an
    image of one platform.
    """

    path: Path
    extras: tuple[str, ...] = ()
    instead: Path | None = None

    def argv(self, output: Path, constraint: Path) -> list[str]:
        """How uv writes it. No index is named in it: the user's own is used at installation."""
        chosen = [f"--extra={extra}" for extra in self.extras] or ["--all-extras"]
        pins = ["--constraint", str(constraint)] if self.extras else []
        inputs = ["pyproject.toml", *([str(self.instead)] if self.instead else [])]
        platform = f"--python-platform={_XEONS}" if self.instead else "--universal"
        return [
            *(str(uv()), "pip", "compile", *inputs, *chosen, *pins, "--quiet"),
            *(platform, "--python-version=3.11", "--generate-hashes"),
            *("--no-emit-index-url", "--no-header", "--no-annotate", f"--output-file={output}"),
        ]


_XEONS: Final = "x86_64-manylinux_2_36"
_TORCHS: Final = re.compile(r"^(torch|triton|nvidia-[a-z0-9-]+|cuda-[a-z]+)==")
_XEON: Final = ROOT / "trainer_image" / "xeon"

LOCKS: Final = (
    Lock(LOCK),
    Lock(ROOT / "operator" / "requirements.lock", ("operator",)),
    Lock(ROOT / "trainer_image" / "requirements.lock", ("trainer",)),
    Lock(_XEON / "requirements.lock", ("trainer",), _XEON / "requirements.in"),
)


class LockOutdatedError(Exception):
    """A lock file is not what pyproject.toml asks for; holds the difference."""


def write(*, upgrade: bool) -> None:
    """Write every lock file; with `upgrade`, take the newest versions."""
    for lock in LOCKS:
        renew = ["--upgrade"] if upgrade and not lock.extras else []
        _compile(lock, lock.path, renew)


def check() -> None:
    """Compare every lock file with what pyproject.toml asks for.

    Raises:
        LockOutdatedError: at least one differs.
    """
    with tempfile.TemporaryDirectory() as folder:
        for lock in LOCKS:
            fresh = Path(folder) / "requirements.lock"
            # uv keeps the pins it finds in its output file, so that only real changes show.
            shutil.copy(lock.path, fresh)
            _compile(lock, fresh, [])
            old, new = (path.read_text().splitlines() for path in (lock.path, fresh))
            if difference := list(difflib.unified_diff(old, new, str(lock.path), "wanted", "")):
                text = "\n".join(difference[:40])
                raise LockOutdatedError(f"{text}\nrun `make lock` and commit the lock files")


def _compile(lock: Lock, output: Path, more: list[str]) -> None:
    env = {**os.environ, **uv_environment()}
    with tempfile.TemporaryDirectory() as folder:
        constraint = LOCK
        if lock.instead is not None:
            constraint = Path(folder) / "constraint.txt"
            constraint.write_text(without_torch(LOCK.read_text()))
        argv = [*lock.argv(output, constraint), *more]
        subprocess.run(argv, check=True, cwd=ROOT, env=env)


def without_torch(lock: str) -> str:
    """A lock's versions, one to a line with its marker, less torch and what comes with it."""
    pins = (line.removesuffix(" \\") for line in lock.splitlines() if "==" in line)
    return "".join(f"{pin}\n" for pin in pins if not _TORCHS.match(pin))

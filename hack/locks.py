"""The lock files: one for everything, and what each image needs of it."""

import difflib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hack.environment import LOCK, ROOT, uv, uv_environment


@dataclass(frozen=True)
class Lock:
    """One lock file. Without extras it holds them all; with them, a part of the whole lock."""

    path: Path
    extras: tuple[str, ...] = ()

    def argv(self, output: Path) -> list[str]:
        """How uv writes it. No index is named in it: the user's own is used at installation."""
        chosen = [f"--extra={extra}" for extra in self.extras] or ["--all-extras"]
        pins = ["--constraint", str(LOCK)] if self.extras else []
        return [
            *(str(uv()), "pip", "compile", "pyproject.toml", *chosen, *pins, "--quiet"),
            *("--universal", "--python-version=3.11", "--generate-hashes"),
            *("--no-emit-index-url", "--no-header", "--no-annotate", f"--output-file={output}"),
        ]


LOCKS: Final = (
    Lock(LOCK),
    Lock(ROOT / "operator" / "requirements.lock", ("operator",)),
    Lock(ROOT / "trainer_image" / "requirements.lock", ("trainer",)),
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
    subprocess.run([*lock.argv(output), *more], check=True, cwd=ROOT, env=env)

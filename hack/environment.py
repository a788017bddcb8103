"""The project's virtual environment, made from the lock file alone."""

import hashlib
import os
import sys
from pathlib import Path
from typing import Final

from hack import cache
from hack.shell import Shell
from hack.steps import Bound, Step

UV: Final = "0.13.9"

ROOT: Final = Path(__file__).parent.parent
LOCK: Final = ROOT / "requirements.lock"
VENV: Final = ROOT / ".venv"
_STAMP: Final = VENV / "made-from"


def python() -> Path:
    """The interpreter that has everything the lock file names."""
    return VENV / "bin" / "python"


def uv() -> Path:
    """The pinned uv, kept apart from the environment that it fills."""
    return cache.root() / "bin" / f"uv-{UV}" / "bin" / "uv"


def steps() -> list[Step]:
    """The steps that make the environment; the last is called "virtual environment"."""
    return [
        Step(
            name="uv",
            make=_install_uv,
            present=lambda shell: uv().exists() and shell.ok(uv(), "--version"),
            bound=Bound.NETWORK,
            mend="pip must be able to install uv: look at pip's message in the log",
        ),
        Step(
            name="virtual environment",
            make=_fill,
            needs=("uv",),
            present=lambda _: python().exists() and _is_from(_wanted()),
            bound=Bound.NETWORK,
            mend="remove .venv and run this again; if a hash differs, run `make lock`",
        ),
    ]


def _install_uv(shell: Shell) -> None:
    folder = uv().parent.parent
    shell.run(sys.executable, "-m", "venv", "--clear", folder)
    shell.run(folder / "bin" / "pip", "install", "--quiet", f"uv=={UV}")


def _fill(shell: Shell) -> None:
    env = uv_environment()
    if not python().exists():
        shell.run(uv(), "venv", "--clear", "--python", sys.executable, VENV, env=env)
    shell.run(
        uv(), "pip", "sync", "--python", python(), "--compile-bytecode", "--require-hashes", LOCK
    )
    shell.run(
        uv(), "pip", "install", "--python", python(), "--no-deps", "--editable", ROOT, env=env
    )
    cache.write(_STAMP, _wanted())


def uv_environment() -> dict[str, str]:
    """What uv is told: where its downloads are kept, and this machine's certificates."""
    given = {"UV_CACHE_DIR": str(cache.folder("uv")), "UV_HTTP_TIMEOUT": "300"}
    if certificates := os.environ.get("SSL_CERT_FILE"):
        given["SSL_CERT_FILE"] = certificates
    return given


def _wanted() -> str:
    digest = hashlib.sha256(LOCK.read_bytes())
    digest.update((ROOT / "pyproject.toml").read_bytes())
    digest.update(sys.version.encode())
    return digest.hexdigest()


def _is_from(wanted: str) -> bool:
    return _STAMP.exists() and _STAMP.read_text() == wanted

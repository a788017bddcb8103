"""Where everything built for the local cluster is kept, and how it gets there whole."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path


def root() -> Path:
    """The cache folder: `$TRAININGRUN_CACHE`, else `$XDG_CACHE_HOME/trainingrun`, else ~/.cache."""
    if chosen := os.environ.get("TRAININGRUN_CACHE"):
        return Path(chosen).expanduser().resolve()
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "trainingrun"
    return Path.home() / ".cache" / "trainingrun"


def folder(*parts: str) -> Path:
    """A folder of the cache, made if it is not there."""
    path = root().joinpath(*parts)
    path.mkdir(parents=True, exist_ok=True)
    return path


def write(path: Path, content: str | bytes, mode: int = 0o644) -> Path:
    """Write a whole file or nothing: a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
    draft = Path(name)
    draft.chmod(mode)
    return draft.rename(path)


def make_folder(final: Path, fill: Callable[[Path], None]) -> Path:
    """Fill a temporary folder beside `final` and rename it, so that `final` is whole or absent."""
    final.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=final.parent, prefix=f".{final.name}."))
    try:
        fill(draft)
        draft.chmod(0o755)
        if final.exists():
            shutil.rmtree(final)
        draft.rename(final)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return final


@contextlib.contextmanager
def lock(name: str, waiting: Callable[[str], None]) -> Iterator[None]:
    """Hold the named lock; a second process waits for the first, and `waiting` is told so."""
    path = root() / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    # Opened for appending: the holder's pid must survive the second process's open.
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            waiting(f"waiting for process {file.read().strip() or '?'}, which holds {path}")
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield

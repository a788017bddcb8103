"""The few things asked of the Docker command line."""

import json
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hack import cache
from hack.shell import CommandFailed, Shell

# Debian's engine has no buildx, and the legacy builder is in every engine.
LEGACY_BUILDER = {"DOCKER_BUILDKIT": "0"}


def has_image(shell: Shell, *tags: str) -> bool:
    """Whether the engine has all these images."""
    return shell.ok("docker", "image", "inspect", "--format", "{{.Id}}", *tags, timeout=20)


def inspect(shell: Shell, kind: str, name: str) -> dict[str, Any] | None:
    """What the engine knows of a container, image or network, or None if there is no such."""
    try:
        found = json.loads(shell.read("docker", kind, "inspect", name, timeout=20))
    except CommandFailed:
        return None
    facts: dict[str, Any] = found[0]
    return facts


def build(
    shell: Shell,
    tag: str,
    dockerfile: Path,
    files: Mapping[str, Path],
    target: str | None = None,
    arguments: Mapping[str, str] | None = None,
) -> None:
    """Build an image from a Dockerfile and exactly these files (name in the context: file)."""
    with tempfile.TemporaryDirectory(dir=cache.folder("build")) as name:
        context = Path(name)
        for inside, file in {"Dockerfile": dockerfile, **files}.items():
            link_or_copy(file, context / inside)
        shell.run(
            "docker",
            "build",
            # The build's own bridge would need a name server and proxies set up for it.
            *("--network", "host"),
            *("--tag", tag),
            *(("--target", target) if target is not None else ()),
            *(f"--build-arg={key}={value}" for key, value in (arguments or {}).items()),
            context,
            env=LEGACY_BUILDER,
        )


def import_program(shell: Shell, tag: str, program: Path, inside: str, *changes: str) -> None:
    """Make an image of one static program and a /tmp, for `changes` see `docker import`."""
    with tempfile.TemporaryDirectory(dir=cache.folder("build")) as name:
        archive = Path(name) / "root.tar"
        with tarfile.open(archive, "w") as tar:
            tmp = tarfile.TarInfo("tmp")
            tmp.type, tmp.mode = tarfile.DIRTYPE, 0o1777
            tar.addfile(tmp)
            tar.add(program, arcname=inside.removeprefix("/"))
        shell.run("docker", "import", *(f"--change={change}" for change in changes), archive, tag)


def link_or_copy(source: Path, target: Path) -> None:
    """A hard link where the file system can, as the programs are some hundred megabytes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copy2(source, target)

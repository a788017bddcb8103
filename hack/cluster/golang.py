"""Builds programs from Go modules, each once for each version, into the cache."""

import hashlib
import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hack import cache
from hack.shell import Shell
from hack.steps import Bound, Step

SOURCES: Final = Path(__file__).parent / "go"


class Missing(Exception):
    """The machine lacks something; the text says everything it lacks, and how to mend each."""


@dataclass(frozen=True)
class GoModule:
    """One module and the programs built from it.

    A program is the last part of a package's path; `source` names a main file of ours (in
    `go/`) for a module whose own main cannot be built from outside.
    """

    name: str
    module: str
    version: str
    packages: tuple[str, ...] = ()
    source: str | None = None
    variables: tuple[str, ...] = ()

    @property
    def binaries(self) -> tuple[str, ...]:
        if self.source is not None:
            return (self.name,)
        return tuple(package.rsplit("/", 1)[-1] for package in self.packages)

    @property
    def folder(self) -> Path:
        """Where the programs are once built; the name changes with anything that shapes them."""
        shape = repr((self.module, self.packages, self.variables, self._source()))
        key = hashlib.sha256(shape.encode()).hexdigest()[:8]
        return cache.root() / "bin" / f"{self.name}-{self.version}-{key}"

    @property
    def workspace(self) -> Path:
        return cache.root() / "build" / self.folder.name

    def binary(self, name: str) -> Path:
        return self.folder / name

    def built(self) -> bool:
        return all(self.binary(name).is_file() for name in self.binaries)

    def _source(self) -> str:
        return (SOURCES / self.source).read_text() if self.source is not None else ""


def environment() -> dict[str, str]:
    """The environment of every Go command: our build cache, and no flags of the user's.

    The module cache is the user's own: it is read-only and shared by design.
    """
    return {
        "GOCACHE": str(cache.folder("go-build")),
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=mod",
        "GOWORK": "off",
    }


def steps(modules: Iterable[GoModule]) -> list[Step]:
    """Two steps a module, so that downloads overlap with compiling.

    Raises:
        Missing: something must be built and there is no Go.
    """
    modules = list(modules)
    unbuilt = [module.name for module in modules if not module.built()]
    if unbuilt and shutil.which("go") is None:
        raise Missing(
            f"cannot start: {', '.join(unbuilt)} must be built, and Go is not on the PATH:"
            " install Go 1.26 or newer (https://go.dev/doc/install)"
        )
    return [step for module in modules for step in (_download(module), _compile(module))]


def step_name(module: GoModule) -> str:
    """The step after which the module's programs are there."""
    return f"build {module.name}"


def source_folder(shell: Shell, module: GoModule) -> Path:
    """The unpacked, read-only source of a module."""
    return Path(_module_facts(shell, module)["Dir"])


def _download(module: GoModule) -> Step:
    return Step(
        name=f"download {module.name}",
        make=lambda shell: _make_workspace(shell, module),
        present=lambda _: module.built() or (module.workspace / "go.sum").is_file(),
        bound=Bound.NETWORK,
        mend="the Go module proxy must be reachable (`go env GOPROXY`); run it again",
    )


def _compile(module: GoModule) -> Step:
    return Step(
        name=step_name(module),
        make=lambda shell: _build(shell, module),
        present=lambda _: module.built(),
        needs=(f"download {module.name}",),
        mend="run it again: what was compiled is kept",
    )


def _make_workspace(shell: Shell, module: GoModule) -> None:
    cache.make_folder(module.workspace, lambda draft: _fill_workspace(shell, module, draft))


def _fill_workspace(shell: Shell, module: GoModule, draft: Path) -> None:
    facts = _module_facts(shell, module)
    edited: dict[str, Any] = json.loads(shell.read("go", "mod", "edit", "-json", facts["GoMod"]))
    (draft / "go.mod").write_text(
        "\n".join(
            [
                f"module trainingrun.io/hack/{module.name}",
                f"go {edited['Go']}",
                f"require {module.module} {module.version}",
                *replacements(module, edited),
                "",
            ]
        )
    )
    if module.source is not None:
        (draft / "main.go").write_text((SOURCES / module.source).read_text())
    else:
        imports = "\n".join(f'import _ "{package}"' for package in module.packages)
        (draft / "tools.go").write_text(f"//go:build tools\n\npackage tools\n\n{imports}\n")
    shell.run("go", "mod", "tidy", cwd=draft, env=environment())


def replacements(module: GoModule, edited: dict[str, Any]) -> list[str]:
    """The replacements a module makes for itself, which Go ignores in a dependency.

    Kubernetes requires its staging modules as v0.0.0 (its workspace has them); the published
    ones are v0.X.Y for Kubernetes v1.X.Y.
    """
    lines = []
    for need in edited.get("Require") or []:
        if need["Version"] == "v0.0.0":
            published = "v0." + module.version.split(".", 1)[1]
            lines.append(f"replace {need['Path']} => {need['Path']} {published}")
    for old, new in ((item["Old"], item["New"]) for item in edited.get("Replace") or []):
        if "Version" in new:
            left = f"{old['Path']} {old.get('Version', '')}".strip()
            lines.append(f"replace {left} => {new['Path']} {new['Version']}")
    return lines


def _module_facts(shell: Shell, module: GoModule) -> dict[str, str]:
    wanted = f"{module.module}@{module.version}"
    # Outside any module of the caller's, and with no checksum file to complain about.
    output = shell.read(
        "go", "mod", "download", "-json", wanted, cwd=cache.folder("build"), env=environment()
    )
    facts: dict[str, str] = json.loads(output)
    return facts


def _build(shell: Shell, module: GoModule) -> None:
    flags = " ".join(["-s", "-w", *(f"-X {variable}" for variable in module.variables)])
    command = ("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", flags)

    def fill(draft: Path) -> None:
        # A folder as the target takes every package's program, under its own name.
        target = f"{draft}/" if module.source is None else str(draft / module.name)
        packages = module.packages or (".",)
        shell.run(*command, "-o", target, *packages, cwd=module.workspace, env=environment())

    cache.make_folder(module.folder, fill)

"""Our own images: built from this checkout, pushed to the local registry, pulled by the nodes.

An image's tag is a digest of all that goes into it, so that pods always run the code that is
checked out, and an image whose inputs did not change is neither built nor sent again.
"""

import functools
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hack import cache, thick_layers
from hack.cluster import docker, engine, images, kind, registry, source
from hack.cluster.source import Source, chosen
from hack.shell import Shell
from hack.steps import Bound, Step

ROOT: Final = Path(__file__).parent.parent
READY: Final = "images"  # the step after which the nodes can run them
TORCH_CPU_INDEX: Final = "https://download.pytorch.org/whl/cpu"
CERTIFICATES: Final = ROOT / ".build" / "ca-certificates.crt"
# How a machine says that its certificates are not the usual ones.
CERTIFICATE_VARIABLES: Final = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
PASSED_ON: Final = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "PIP_INDEX_URL")


@dataclass(frozen=True)
class Image:
    """One image of ours; `dependencies` is the stage that changes with the lock file only."""

    name: str
    dockerfile: str
    dependencies: str
    target: str | None = None

    @property
    def repository(self) -> str:
        return f"trainingrun-{self.name}"

    @property
    def tag(self) -> str:
        return _tag(self.dockerfile)

    @property
    def reference(self) -> str:
        return f"{registry.ADDRESS}/{self.repository}:{self.tag}"


TRAINER: Final = Image(
    name="trainer",
    dockerfile="trainer_image/Dockerfile",
    dependencies="cpu-dependencies",
    target="cpu",
)
OPERATOR: Final = Image(
    name="operator",
    dockerfile="operator/Dockerfile",
    dependencies="dependencies",
)
IMAGES: Final[Mapping[str, Image]] = {image.name: image for image in (TRAINER, OPERATOR)}


def reference(name: str) -> str:
    """What pods pull this checkout's image by; `name` is "trainer" or "operator"."""
    return IMAGES[name].reference


def steps() -> list[Step]:
    """For each image: build, push, and bring to the nodes; to be merged with the cluster's."""
    parts = [step for image in IMAGES.values() for step in _steps(image)]
    ready = Step(
        name=READY,
        make=_tidy,
        needs=tuple(step.name for step in parts),
        bound=Bound.NETWORK,
    )
    return [*parts, ready]


def build_step(image: Image) -> Step:
    """Builds an image of this checkout, unless it is there."""
    base = ("base image",) if chosen() is Source.BUILD else ()
    return Step(
        name=f"build {image.name} image",
        make=lambda shell: _build(shell, image),
        present=lambda shell: docker.has_image(shell, image.reference),
        needs=("engine", *base),
        bound=Bound.NETWORK,
        mend="if pip could not reach its index, run it again: finished layers are kept",
    )


def _steps(image: Image) -> list[Step]:
    build = build_step(image)
    push = Step(
        name=f"push {image.name} image",
        make=lambda shell: _push(shell, image),
        present=lambda _: registry.has(image.repository, image.tag),
        needs=(build.name, "registry"),
        bound=Bound.NETWORK,
    )
    # Before any pod asks: unpacking torch takes a node 40 s, in which a run would look stuck.
    pull = Step(
        name=f"{image.name} image on nodes",
        make=lambda shell: _pull(shell, image),
        present=lambda shell: all(
            image.reference in _node_images(shell, node) for node in _worker_nodes(shell)
        ),
        needs=(push.name, "registry for nodes"),
        bound=Bound.NETWORK,
    )
    return [build, push, pull]


def build_arguments() -> dict[str, str]:
    """What this machine tells a Dockerfile about itself."""
    arguments = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    if chosen() is Source.BUILD:
        arguments["BASE_IMAGE"] = images.BASE
    # The package index's torch is built for CUDA: ten times the size of the CPU one.
    arguments["TORCH_INDEX"] = TORCH_CPU_INDEX if source.answers(f"{TORCH_CPU_INDEX}/") else ""
    return arguments


def write_certificates() -> Path:
    """Put this machine's CA certificates where a build can copy them; empty where usual ones do.

    The file is host-specific and git-ignored. Dockerfiles copy it in a builder stage only.
    """
    path = next(
        (
            Path(os.environ[name])
            for name in CERTIFICATE_VARIABLES
            if Path(os.environ.get(name, "/none")).is_file()
        ),
        None,
    )
    return cache.write(CERTIFICATES, path.read_bytes() if path is not None else b"")


def _build(shell: Shell, image: Image) -> None:
    write_certificates()
    # Named, so that what is nameless is what nothing is built from any more.
    _build_target(shell, image, image.dependencies, f"trainingrun/{image.name}-dependencies")
    _build_target(shell, image, image.target, image.reference)


def _build_target(shell: Shell, image: Image, target: str | None, tag: str) -> None:
    shell.run(
        *("docker", "build", "--network", "host", "--file", ROOT / image.dockerfile),
        # A build that fails leaves its last container otherwise, with gigabytes in it.
        *("--force-rm", "--tag", tag),
        *(("--target", target) if target is not None else ()),
        *(f"--build-arg={name}={value}" for name, value in build_arguments().items()),
        ROOT,
        env=docker.LEGACY_BUILDER,
    )


def _tidy(shell: Shell) -> None:
    """Remove what nothing is built from any more; never in an engine that is not ours.

    After all builds: what a running build has made so far has no name either.
    """
    if engine.is_ours():
        shell.run("docker", "image", "prune", "--force")


def _push(shell: Shell, image: Image) -> None:
    thick_layers.bring(shell, image.reference, image.repository, image.tag)
    shell.run("docker", "push", "--quiet", image.reference)
    # Each lock file's torch takes 5 GB, here and on every node: only the newest is kept.
    listed = ("docker", "image", "list", "--format", "{{.Repository}}:{{.Tag}}")
    for name in older(image, shell.read(*listed).split()):
        shell.ok("docker", "image", "rm", name)


def _pull(shell: Shell, image: Image) -> None:
    for node in _worker_nodes(shell):
        shell.run(
            *(*_on(node), "images", "pull"),
            *("--hosts-dir", "/etc/containerd/certs.d", image.reference),
        )
        # What a pod runs on stays there; a new pod of an older tag pulls it once more.
        for name in older(image, _node_images(shell, node)):
            shell.run(*_on(node), "images", "remove", name)
        if left := nameless(_node_images(shell, node)):
            shell.run(*_on(node), "images", "remove", *left)


def older(image: Image, names: Iterable[str]) -> list[str]:
    """Of the names of images, those that are this one with another tag."""
    prefix = f"{registry.ADDRESS}/{image.repository}:"
    return [name for name in names if name.startswith(prefix) and name != image.reference]


def _on(node: str) -> tuple[str, ...]:
    return ("docker", "exec", node, "ctr", "--namespace", "k8s.io")


def nameless(manifests: Mapping[str, str]) -> list[str]:
    """The kubelet's own records (`sha256:...`) of images that have no name any more.

    They alone keep an image's layers; the kubelet would remove them on a full disk only.
    """
    own = {name for name in manifests if name.startswith("sha256:")}
    named = {manifest for name, manifest in manifests.items() if name not in own}
    return sorted(name for name in own if manifests[name] not in named)


def _node_images(shell: Shell, node: str) -> dict[str, str]:
    """Every image record of a node, and the digest of its manifest."""
    rows = (line.split() for line in shell.read(*_on(node), "images", "list").splitlines()[1:])
    return {row[0]: row[2] for row in rows}


def _worker_nodes(shell: Shell) -> list[str]:
    return [node for node in kind.node_names(shell) if node != kind.CONTROL_PLANE]


def copied(dockerfile: str) -> list[str]:
    """What a Dockerfile copies from its context, less what depends on the host (`.build`)."""
    found: list[str] = []
    for line in dockerfile.replace("\\\n", " ").splitlines():
        match line.split():
            case ["COPY", *words] if not any(word.startswith("--from=") for word in words):
                sources = [word for word in words if not word.startswith("--")][:-1]
                found += [name for name in sources if not name.startswith(".build/")]
    return found


@functools.cache
def _tag(dockerfile: str) -> str:
    """Once for a process: whoever edits a file meanwhile must not part the steps of one run."""
    digest = hashlib.sha256()
    inputs = copied((ROOT / dockerfile).read_text())
    for path in _files(ROOT, (dockerfile, ".dockerignore", *inputs)):
        digest.update(f"{path.relative_to(ROOT)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def _files(root: Path, names: tuple[str, ...]) -> Iterator[Path]:
    """Every file of these files and folders, in one order, less what Python leaves behind."""
    for name in names:
        path = root / name
        if path.is_file():
            yield path
        elif path.is_dir():
            yield from sorted(
                item
                for item in path.rglob("*")
                if item.is_file()
                and item.suffix != ".pyc"
                and not any(part.endswith((".egg-info", "_cache")) for part in item.parts)
            )

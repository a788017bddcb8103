"""Builds the images of the cluster's own parts, where they cannot be pulled."""

import functools
import hashlib
import tempfile
from pathlib import Path
from typing import Final

from hack import cache
from hack.cluster import binaries, docker, versions
from hack.cluster.golang import step_name
from hack.shell import Shell
from hack.steps import Bound, Step

FILES: Final = Path(__file__).parent / "node"
CONFIGURATION: Final = ("containerd.toml", "containerd.service", "kubelet.service", "entrypoint.sh")
PULLED_NODE: Final = f"kindest/node:{versions.KUBERNETES}"

BASE: Final = f"debian:{versions.DEBIAN}"
PAUSE: Final = f"registry.k8s.io/pause:{versions.PAUSE}"
KUBE_PROXY: Final = f"registry.k8s.io/kube-proxy:{versions.KUBERNETES}"
# Images of one static program each: the program, and where its pod's manifest looks for it.
PROGRAMS: Final = {
    f"registry.k8s.io/kube-apiserver:{versions.KUBERNETES}": (
        "kube-apiserver",
        "/usr/local/bin/kube-apiserver",
    ),
    f"registry.k8s.io/kube-controller-manager:{versions.KUBERNETES}": (
        "kube-controller-manager",
        "/usr/local/bin/kube-controller-manager",
    ),
    f"registry.k8s.io/kube-scheduler:{versions.KUBERNETES}": (
        "kube-scheduler",
        "/usr/local/bin/kube-scheduler",
    ),
    f"registry.k8s.io/etcd:{versions.ETCD.removeprefix('v')}-0": ("etcd", "/usr/local/bin/etcd"),
    f"registry.k8s.io/coredns/coredns:{versions.COREDNS}": ("coredns", "/coredns"),
}
COMPONENTS: Final = (*PROGRAMS, KUBE_PROXY, PAUSE)


@functools.cache
def node_image() -> str:
    """The tag of the node image built here; it changes with everything that goes in."""
    digest = hashlib.sha256()
    for name in ("Dockerfile", "pause.c", *CONFIGURATION):
        digest.update((FILES / name).read_bytes())
    for module in (binaries.KUBERNETES, binaries.ETCD, binaries.COREDNS):
        digest.update(module.folder.name.encode())
    return f"trainingrun/node:{versions.KUBERNETES}-{digest.hexdigest()[:8]}"


def steps() -> list[Step]:
    """Base image, node packages, node image; they need the engine and the programs."""
    built = (binaries.KUBERNETES, binaries.ETCD, binaries.COREDNS)
    return [
        Step(
            name="base image",
            make=_make_base,
            present=lambda shell: docker.has_image(shell, BASE),
            needs=("engine",),
            bound=Bound.NETWORK,
            mend="Debian's package mirror must be reachable; run it again",
        ),
        Step(
            name="node packages",
            make=_make_packages,
            present=lambda shell: docker.has_image(shell, node_image()),
            needs=("base image",),
            bound=Bound.NETWORK,
            mend="Debian's package mirror must be reachable; run it again",
        ),
        Step(
            name="node image",
            make=_make_node,
            present=lambda shell: docker.has_image(shell, node_image()),
            needs=("node packages", *(step_name(module) for module in built)),
        ),
    ]


def _make_base(shell: Shell) -> None:
    if shell.ok("docker", "pull", "--quiet", BASE, timeout=60):
        return
    with tempfile.TemporaryDirectory(dir=cache.folder("build")) as name:
        root, archive = Path(name) / "root", Path(name) / "root.tar"
        shell.run("debootstrap", "--variant=minbase", versions.DEBIAN, root)
        shell.run("tar", "--directory", root, "--create", "--file", archive, ".")
        shell.run("docker", "import", "--change", "CMD bash", archive, BASE)


def _make_packages(shell: Shell) -> None:
    """The stages that only download, early, so that they overlap with compiling."""
    for target in ("node-base", "pause"):
        _build(shell, target, f"trainingrun/{target}", {})


def _build(shell: Shell, target: str, tag: str, files: dict[str, Path]) -> None:
    own = {name: FILES / name for name in ("pause.c", *CONFIGURATION)}
    arguments = {"BASE_IMAGE": BASE, "KUBERNETES_VERSION": versions.KUBERNETES}
    docker.build(shell, tag, FILES / "Dockerfile", {**own, **files}, target, arguments)


def _make_node(shell: Shell) -> None:
    wanted = shell.read(
        binaries.path("kubeadm"),
        *("config", "images", "list", "--kubernetes-version", versions.KUBERNETES),
    ).split()
    if set(wanted) != set(COMPONENTS):
        raise ValueError(f"kubeadm wants {wanted}: versions.py pins {list(COMPONENTS)}")
    for tag, (program, inside) in PROGRAMS.items():
        entrypoint = f'ENTRYPOINT ["{inside}"]'
        docker.import_program(shell, tag, binaries.path(program), inside, entrypoint)
    _make_pause(shell)
    proxy = {"kube-proxy": binaries.path("kube-proxy")}
    _build(shell, "kube-proxy", KUBE_PROXY, proxy)
    with tempfile.TemporaryDirectory(dir=cache.folder("build")) as name:
        archive = Path(name) / "images.tar"
        shell.run("docker", "save", "--output", archive, *COMPONENTS)
        programs = {name: binaries.path(name) for name in ("kubeadm", "kubelet", "kubectl")}
        files = {**proxy, **programs, "images.tar": archive}
        _build(shell, "node", node_image(), files)


def _make_pause(shell: Shell) -> None:
    container = shell.read("docker", "create", "trainingrun/pause", "/pause")
    with tempfile.TemporaryDirectory(dir=cache.folder("build")) as name:
        program = Path(name) / "pause"
        try:
            shell.run("docker", "cp", f"{container}:/pause", program)
        finally:
            shell.run("docker", "rm", container)
        docker.import_program(shell, PAUSE, program, "/pause", 'ENTRYPOINT ["/pause"]')

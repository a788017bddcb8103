"""The programs the cluster is made of and handled with, and where each one comes from.

Built from Go modules, unless a fitting one is on the PATH (kind, helm, kubectl) or can be had
from a pulled image (etcd, kube-apiserver, kubectl).
"""

import functools
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from hack import cache
from hack.cluster import engine, golang, source, versions
from hack.cluster.golang import GoModule
from hack.shell import Shell
from hack.steps import Bound, Step, run

_KUBERNETES_PROGRAMS: Final = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
    "kubelet",
    "kubeadm",
    "kubectl",
)
KUBERNETES: Final = GoModule(
    name="kubernetes",
    module="k8s.io/kubernetes",
    version=versions.KUBERNETES,
    packages=tuple(f"k8s.io/kubernetes/cmd/{name}" for name in _KUBERNETES_PROGRAMS),
    variables=(
        f"k8s.io/component-base/version.gitVersion={versions.KUBERNETES}",
        "k8s.io/component-base/version.gitMajor=1",
        f"k8s.io/component-base/version.gitMinor={versions.minor(versions.KUBERNETES)}",
        "k8s.io/component-base/version.gitTreeState=clean",
    ),
)
ETCD: Final = GoModule("etcd", "go.etcd.io/etcd/server/v3", versions.ETCD, source="etcd.go")
COREDNS: Final = GoModule(
    "coredns", "github.com/coredns/coredns", versions.COREDNS, source="coredns.go"
)
KIND: Final = GoModule("kind", "sigs.k8s.io/kind", versions.KIND, ("sigs.k8s.io/kind",))
HELM: Final = GoModule(
    name="helm",
    module="helm.sh/helm/v3",
    version=versions.HELM,
    packages=("helm.sh/helm/v3/cmd/helm",),
    variables=(f"helm.sh/helm/v3/internal/version.version={versions.HELM}",),
)
REGISTRY: Final = GoModule(
    name="registry",
    module="github.com/distribution/distribution/v3",
    version=versions.REGISTRY,
    packages=("github.com/distribution/distribution/v3/cmd/registry",),
)
TRAINING_OPERATOR: Final = GoModule(
    name="training-operator",
    module="github.com/kubeflow/training-operator",
    version=versions.TRAINING_OPERATOR,
    packages=("github.com/kubeflow/training-operator/cmd/training-operator.v1",),
)
LOCAL_PATH_PROVISIONER: Final = GoModule(
    name="local-path-provisioner",
    module="github.com/rancher/local-path-provisioner",
    version=versions.LOCAL_PATH_PROVISIONER,
    packages=("github.com/rancher/local-path-provisioner",),
)

# Kubernetes first: everything else is compiled in its shadow or after it.
IN_IMAGES: Final = (KUBERNETES, ETCD, COREDNS, REGISTRY, TRAINING_OPERATOR, LOCAL_PATH_PROVISIONER)
TOOLS: Final = {"kind": KIND, "helm": HELM, "kubectl": KUBERNETES}
# The images a program is copied out of where images can be pulled, and its path in there.
FROM_IMAGE: Final = {
    "kubectl": (f"kindest/node:{versions.KUBERNETES}", "/usr/bin/kubectl"),
    "kube-apiserver": (
        f"registry.k8s.io/kube-apiserver:{versions.KUBERNETES}",
        "/usr/local/bin/kube-apiserver",
    ),
    "etcd": (f"registry.k8s.io/etcd:{versions.ETCD.removeprefix('v')}-0", "/usr/local/bin/etcd"),
}


def needed(chosen: source.Source) -> tuple[GoModule, ...]:
    """The modules that a cluster is built from on this machine."""
    tools = tuple(module for name, module in TOOLS.items() if on_path(name) is None)
    if chosen is source.Source.PULL:
        return tuple(module for module in tools if module is not KUBERNETES)
    return (*IN_IMAGES, *(module for module in tools if module is not KUBERNETES))


_MODULE_OF: Final = {
    binary: module for module in (*IN_IMAGES, KIND, HELM) for binary in module.binaries
}


def path(name: str) -> Path:
    """Where a program is, or will be after its step (see `steps`)."""
    if (found := on_path(name)) is not None:
        return found
    if _copied(name):
        image, _ = FROM_IMAGE[name]
        return cache.root() / "bin" / f"from-{image.replace('/', '_').replace(':', '_')}" / name
    return _MODULE_OF[name].binary(name)


def step_name(name: str) -> str | None:
    """The step that brings a program, or None where it is on the PATH."""
    if on_path(name) is not None:
        return None
    return f"copy {name}" if _copied(name) else golang.step_name(_MODULE_OF[name])


def steps(*names: str) -> list[Step]:
    """What brings these programs to `path`."""
    missing = [name for name in names if on_path(name) is None]
    modules = dict.fromkeys(_MODULE_OF[name] for name in missing if not _copied(name))
    copies = [_copy_step(name) for name in missing if _copied(name)]
    return [*golang.steps(modules), *copies]


def steps_alone(*names: str) -> list[Step]:
    """`steps` with what they need of a cluster's graph, for those who have no cluster's graph."""
    parts = steps(*names)
    copied = any("engine" in step.needs for step in parts)
    return [*engine.steps(), *parts] if copied else parts


def ensure(*names: str) -> dict[str, Path]:
    """Bring programs to this machine, building what cannot be had otherwise.

    For those who need the programs and no cluster, like the tests against a bare API server.

    Raises:
        StepFailed: one of them could not be built.
    """
    if any(not path(name).is_file() for name in names):
        run(steps_alone(*names), cache.folder("logs", "programs"))
    return {name: path(name) for name in names}


@functools.cache
def on_path(name: str) -> Path | None:
    """A program on the PATH whose version fits, if there is one."""
    question = _VERSION_QUESTIONS.get(name)
    found = shutil.which(name)
    if question is None or found is None:
        return None
    try:
        answer = subprocess.run(
            [found, *question], capture_output=True, text=True, timeout=10, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return Path(found) if fits(name, answer) else None


_VERSION_QUESTIONS: Final = {
    "kind": ("version",),
    "helm": ("version", "--short"),
    "kubectl": ("version", "--client", "-o", "json"),
}


def fits(name: str, answer: str) -> bool:
    """Whether a tool that answers so when asked for its version may be used."""
    if name == "kind":
        return re.search(rf"\b{re.escape(versions.KIND)}\b", answer) is not None
    if name == "helm":
        return answer.startswith("v3.")
    try:
        version = json.loads(answer)["clientVersion"]["gitVersion"]
        # Kubernetes supports a kubectl of one minor version more or less than the server's.
        return abs(versions.minor(version) - versions.minor(versions.KUBERNETES)) <= 1
    except (ValueError, KeyError, IndexError):
        return False


def _copied(name: str) -> bool:
    return name in FROM_IMAGE and source.chosen() is source.Source.PULL


def _copy_step(name: str) -> Step:
    image, inside = FROM_IMAGE[name]

    def make(shell: Shell) -> None:
        container = shell.read("docker", "create", image, "true").splitlines()[-1]
        try:
            cache.make_folder(
                path(name).parent,
                lambda draft: shell.run("docker", "cp", f"{container}:{inside}", draft / name),
            )
        finally:
            shell.run("docker", "rm", container)

    return Step(
        name=f"copy {name}",
        make=make,
        present=lambda _: path(name).is_file(),
        needs=("engine",),
        bound=Bound.NETWORK,
    )

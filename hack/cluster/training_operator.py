"""Kubeflow's training operator, which turns PyTorchJobs into pods."""

import json
import shutil
from typing import Any, Final

from hack.cluster import binaries, docker, golang, registry, versions
from hack.cluster.addons import Addon
from hack.cluster.kind import kubectl
from hack.cluster.source import Source, chosen
from hack.shell import Shell
from hack.steps import Bound, Step

ADDON: Final = Addon("kubeflow", "training-operator", "control-plane=kubeflow-training-operator")
UPSTREAM_IMAGE: Final = "ghcr.io/kubeflow/training-v1/training-operator"
IMAGE: Final = f"training-operator:{versions.TRAINING_OPERATOR}"
OVERLAY: Final = "manifests/overlays/standalone"
ANSWER_SECONDS: Final = 120


def steps() -> list[Step]:
    """`training operator image` (where it is built) and `training operator`."""
    building = chosen() is Source.BUILD
    install = Step(
        name="training operator",
        make=_install,
        present=lambda shell: ADDON.installed(shell, manifests(shell)) and _answers(shell),
        needs=(
            "api server",
            *(("training operator image", "registry for nodes", "pod network") * building),
        ),
        bound=Bound.NETWORK,
    )
    if not building:
        return [install]
    image = Step(
        name="training operator image",
        make=_make_image,
        present=lambda _: registry.has(*IMAGE.split(":")),
        needs=("registry", golang.step_name(binaries.TRAINING_OPERATOR)),
        bound=Bound.NETWORK,
    )
    return [image, install]


def manifests(shell: Shell) -> str:
    """Upstream's standalone manifests, with the image this machine has."""
    if shutil.which("go") is not None:
        folder = golang.source_folder(shell, binaries.TRAINING_OPERATOR)
        overlay = str(folder / OVERLAY)
    else:
        overlay = f"https://{binaries.TRAINING_OPERATOR.module}/{OVERLAY}"
        overlay += f"?ref={versions.TRAINING_OPERATOR}"
    text = shell.read(binaries.path("kubectl"), "kustomize", overlay)
    if chosen() is Source.PULL:
        return text
    return "\n".join(
        f"{line.split('image:')[0]}image: {registry.ADDRESS}/{IMAGE}"
        if f"image: {UPSTREAM_IMAGE}:" in line
        else line
        for line in text.splitlines()
    )


def probe() -> dict[str, Any]:
    """The smallest PyTorchJob that its webhook lets pass."""
    container = {"name": "pytorch", "image": "none"}
    replica = {
        "replicas": 1,
        "restartPolicy": "Never",
        "template": {"spec": {"containers": [container]}},
    }
    return {
        "apiVersion": "kubeflow.org/v1",
        "kind": "PyTorchJob",
        "metadata": {"name": "probe", "namespace": "default"},
        "spec": {"pytorchReplicaSpecs": {"Worker": replica}},
    }


def _make_image(shell: Shell) -> None:
    program = binaries.path("training-operator.v1")
    docker.import_program(shell, f"trainingrun/{IMAGE}", program, "/manager")
    registry.push(shell, f"trainingrun/{IMAGE}", IMAGE)


def _install(shell: Shell) -> None:
    text = manifests(shell)
    ADDON.install(shell, text)
    # Available is not yet answering: its webhook's certificate and endpoints come later, and
    # until then the API server refuses every PyTorchJob.
    shell.wait_until(
        "the training operator's webhook answers", lambda: _answers(shell), ANSWER_SECONDS
    )
    ADDON.finish(shell, text)


def _answers(shell: Shell) -> bool:
    create = kubectl("create", "--dry-run=server", "--filename=-")
    return shell.ok(*create, stdin=json.dumps(probe()), timeout=15)

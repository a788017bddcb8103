"""The StorageClass `shared`: ReadWriteMany volumes for any claim of any namespace.

Rancher's local-path provisioner in its shared-folder mode, over a folder of this machine that
every node has mounted (see kind.py).
"""

import string
from pathlib import Path
from typing import Final

from hack.cluster import binaries, docker, images, registry, versions
from hack.cluster.addons import Addon
from hack.cluster.golang import step_name
from hack.cluster.kind import SHARED_FOLDER
from hack.cluster.source import Source, chosen
from hack.shell import Shell
from hack.steps import Bound, Step

STORAGE_CLASS: Final = "shared"
ADDON: Final = Addon("trainingrun-storage", "provisioner", "app=provisioner")
TEMPLATE: Final = Path(__file__).parent / "manifests" / "storage.yaml"
HELPER_DOCKERFILE: Final = Path(__file__).parent / "node" / "busybox.Dockerfile"

PROVISIONER: Final = f"local-path-provisioner:{versions.LOCAL_PATH_PROVISIONER}"
HELPER: Final = "busybox:1"


def steps() -> list[Step]:
    """`storage images` (where they are built) and `shared storage`."""
    install = Step(
        name="shared storage",
        make=_install,
        present=lambda shell: ADDON.installed(shell, manifests()),
        needs=("api server", *_needs()),
        bound=Bound.NETWORK,
    )
    if chosen() is Source.PULL:
        return [install]
    images_step = Step(
        name="storage images",
        make=_make_images,
        present=lambda _: all(registry.has(*name.split(":")) for name in (PROVISIONER, HELPER)),
        needs=("registry", "base image", step_name(binaries.LOCAL_PATH_PROVISIONER)),
        bound=Bound.NETWORK,
    )
    return [images_step, install]


def manifests() -> str:
    """The manifests, with the images this machine has."""
    building = chosen() is Source.BUILD
    return string.Template(TEMPLATE.read_text()).substitute(
        SHARED_FOLDER=SHARED_FOLDER,
        PROVISIONER_IMAGE=f"{registry.ADDRESS if building else 'docker.io/rancher'}/{PROVISIONER}",
        HELPER_IMAGE=f"{registry.ADDRESS if building else 'docker.io/library'}/{HELPER}",
        # kind's own image brings a default class of its own.
        IS_DEFAULT=str(building).lower(),
    )


def _needs() -> tuple[str, ...]:
    if chosen() is Source.PULL:
        return ()
    return ("storage images", "registry for nodes", "pod network")


def _make_images(shell: Shell) -> None:
    program = binaries.path("local-path-provisioner")
    inside = "/usr/bin/local-path-provisioner"
    docker.import_program(shell, f"trainingrun/{PROVISIONER}", program, inside)
    docker.build(
        shell,
        f"trainingrun/{HELPER}",
        HELPER_DOCKERFILE,
        files={},
        arguments={"BASE_IMAGE": images.BASE},
    )
    for name in (PROVISIONER, HELPER):
        registry.push(shell, f"trainingrun/{name}", name)


def _install(shell: Shell) -> None:
    ADDON.install(shell, manifests())
    ADDON.finish(shell, manifests())

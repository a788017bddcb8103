"""The runtime xeon: its image, built where the local cluster's are, and the steps that test it.

No cluster runs it: the image has 7 GB where torch comes from the package index.
"""

from typing import Final

from hack import images as ours
from hack.cluster import engine, images, source
from hack.cluster.source import Source
from hack.images import Image
from hack.shell import Shell
from hack.steps import Bound, Step

IMAGE: Final = Image(
    name="trainer-xeon",
    dockerfile="trainer_image/Dockerfile",
    dependencies="xeon-dependencies",
    target="xeon",
)


def steps() -> list[Step]:
    """Builds the image of this checkout and removes those of earlier ones."""
    building = source.chosen() is Source.BUILD
    base = [step for step in images.steps() if building and step.name == "base image"]
    build = ours.build_step(IMAGE)
    tidy = Step(
        name="earlier xeon images",
        make=_remove_earlier,
        needs=(build.name,),
        bound=Bound.NETWORK,
    )
    return [*engine.steps(), *base, build, tidy]


def _remove_earlier(shell: Shell) -> None:
    listed = ("docker", "image", "list", "--format", "{{.Repository}}:{{.Tag}}")
    for name in ours.older(IMAGE, shell.read(*listed).split()):
        shell.ok("docker", "image", "rm", name)

"""Whether images are pulled from public registries or built here from package registries."""

import enum
import functools
import os
import urllib.error
import urllib.request
from typing import Final

from hack import cache


class Source(enum.Enum):
    """Where the images of the cluster's own parts come from."""

    PULL = "pull"
    BUILD = "build"


VARIABLE: Final = "TRAININGRUN_IMAGES"
# Each hosts some of the images; all of them must answer.
REGISTRIES: Final = ("https://registry-1.docker.io/v2/", "https://registry.k8s.io/v2/")
PATIENCE_SECONDS: Final = 5


@functools.cache
def chosen() -> Source:
    """What `TRAININGRUN_IMAGES` says (pull | build), else what this machine did before, else
    pull where the public registries answer within a few seconds.

    A machine sticks to its first answer: a network that comes and goes must not turn a running
    cluster into one of another make. Deleting the cluster forgets it.

    Raises:
        ValueError: the variable holds something else.
    """
    if told := os.environ.get(VARIABLE):
        return Source(told)
    memory = cache.root() / "cluster" / "images-from"
    if memory.is_file():
        return Source(memory.read_text())
    answer = Source.PULL if all(map(answers, REGISTRIES)) else Source.BUILD
    cache.write(memory, answer.value)
    return answer


def forget() -> None:
    """Ask the registries again next time."""
    (cache.root() / "cluster" / "images-from").unlink(missing_ok=True)
    chosen.cache_clear()


def answers(url: str) -> bool:
    """Whether a web address gives an answer that a service of its kind would give."""
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS):  # noqa: S310 (https above)
            return True
    except urllib.error.HTTPError as error:
        # Image registries ask the unknown to log in; a forbidding proxy says 403.
        return error.code == 401
    except OSError:
        return False

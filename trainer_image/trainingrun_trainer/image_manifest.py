"""What an image says about itself: its runtime, its torch, and the libraries that can be preloaded.

Only the image knows where its libraries are, so paths are found when it is built
(`trainingrun_trainer.describe`) and read by the launcher. This module imports no training library.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from trainingrun_trainer.rules import Group

PATH: Final = Path("/opt/trainingrun/image.json")
PATH_VARIABLE: Final = "TRAININGRUN_IMAGE_MANIFEST"
"""Says where the manifest is instead, in images that are laid out otherwise."""

LibraryPath = Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=r"^/")]


class Runtime(StrEnum):
    """Which stack of libraries an image holds."""

    CPU = "cpu"
    XEON = "xeon"


class Library(StrEnum):
    """A library that takes the place of another by being loaded first."""

    TCMALLOC = "tcmalloc"
    JEMALLOC = "jemalloc"
    INTEL_OPENMP = "intel-openmp"
    GNU_OPENMP = "gnu-openmp"


class ImageManifest(Group):
    """The whole manifest; `libraries` holds only what is there."""

    version: Literal["v1"] = "v1"
    runtime: Runtime
    torch: str = Field(description="The version of torch.")
    libraries: dict[Library, LibraryPath] = Field({}, description="Where each library is.")

    @classmethod
    def read(cls, env: Mapping[str, str]) -> ImageManifest | None:
        """The manifest of the image that this runs in; None outside of one.

        Raises:
            OSError: there is one that cannot be read.
            pydantic.ValidationError: it is not a valid manifest.
        """
        path = location(env)
        return cls.model_validate_json(path.read_bytes()) if path.exists() else None


def location(env: Mapping[str, str]) -> Path:
    """Where the manifest is, if there is one."""
    return Path(env.get(PATH_VARIABLE) or PATH)

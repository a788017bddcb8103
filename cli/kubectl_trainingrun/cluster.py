"""What the plugin asks of a cluster. Objects are those of the API server, as dictionaries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol

from trainingrun_operator.api.v1alpha1 import GROUP, PLURAL

Object = dict[str, Any]

RUNS: Final = f"{PLURAL}.{GROUP}"


class ClusterError(Exception):
    """The cluster did not answer, or not as hoped. The message is fit for a user."""


class NotFoundError(ClusterError):
    """There is no such object."""


class ForbiddenError(ClusterError):
    """The user may not do this."""


class Cluster(Protocol):
    """Every method raises `ClusterError`. Kinds are kubectl's: `pods`, `trainingruns.GROUP`."""

    def get(self, kind: str, name: str) -> Object:
        """One object of the chosen namespace.

        Raises:
            NotFoundError: there is none of this name.
        """

    def select(self, kind: str, *, selector: str = "", everywhere: bool = False) -> list[Object]:
        """The objects with these labels, in the chosen namespace or in all."""

    def create(self, manifest: Mapping[str, Any]) -> Object:
        """Make an object, and return it as it is."""

    def patch(self, kind: str, name: str, patch: Mapping[str, Any]) -> None:
        """Change an object by a JSON merge patch."""

    def logs(self, pod: str, *, tail: int) -> list[str]:
        """The last lines that a pod's container has printed."""

    def watch(self, kind: str, name: str) -> Iterator[Object]:
        """One object as it is, and then each time it has changed, without an end."""

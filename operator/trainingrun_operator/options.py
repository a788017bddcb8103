"""The operator's own settings, from its environment, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, Self
from urllib.parse import urlsplit


class OptionError(ValueError):
    """An environment variable cannot be what it is; the message names it and the mend."""


@dataclass(frozen=True)
class Patience:
    """How long the operator believes that a watch which shows nothing has nothing to show."""

    watch_inactivity: timedelta = timedelta(seconds=70)
    """After this a watch is opened anew. Bookmarks come about once a minute on a sound one."""
    audit_interval: timedelta = timedelta(minutes=5)
    """Between two audits of all watches (health.py)."""
    second_look: timedelta = timedelta(seconds=60)
    """How long a watch may lag behind what an audit has found."""


@dataclass(frozen=True)
class Options:
    """What the chart sets. `namespaces` empty means all; there may be no image for xeon."""

    image_cpu: str
    namespace: str
    image_xeon: str = ""
    namespaces: tuple[str, ...] = ()
    progress_url: str = ""
    progress_address: str = "0.0.0.0:8443"
    health_address: str = "0.0.0.0:8080"
    log_format: Literal["text", "json"] = "text"

    @property
    def progress_host(self) -> str:
        """The host that trainers post to, which the certificate must name."""
        return urlsplit(self.progress_url).hostname or ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """The options in these variables.

        Raises:
            OptionError: one is missing or wrong.
        """
        image = environment.get("TRAININGRUN_IMAGE_CPU", "")
        if not image:
            raise OptionError("TRAININGRUN_IMAGE_CPU is not set; write the trainer image's name")
        url = environment.get("TRAININGRUN_PROGRESS_URL", "")
        parts = urlsplit(url)
        if url and (parts.scheme != "https" or not parts.hostname):
            raise OptionError(
                f"TRAININGRUN_PROGRESS_URL is {url!r}; write https://host:port, or leave it empty "
                "for no progress"
            )
        log_format = environment.get("TRAININGRUN_LOG_FORMAT") or "text"
        if log_format not in ("text", "json"):
            raise OptionError(f"TRAININGRUN_LOG_FORMAT is {log_format!r}; write text or json")
        names = environment.get("TRAININGRUN_NAMESPACES", "").split(",")
        defaults = cls(image, "")
        return cls(
            image_cpu=image,
            image_xeon=environment.get("TRAININGRUN_IMAGE_XEON", ""),
            namespace=environment.get("POD_NAMESPACE") or "trainingrun-system",
            namespaces=tuple(name.strip() for name in names if name.strip()),
            progress_url=url,
            progress_address=environment.get("TRAININGRUN_PROGRESS_ADDRESS")
            or defaults.progress_address,
            health_address=environment.get("TRAININGRUN_HEALTH_ADDRESS") or defaults.health_address,
            log_format="json" if log_format == "json" else "text",
        )

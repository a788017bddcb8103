"""What the operator's own configuration contributes to every plan."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """The operator's settings.

    `progress_url` is the base of the progress endpoint (scheme, host, port), `progress_ca` the PEM
    of the authority that signed its certificate. With an empty URL trainers report nothing.
    """

    image_cpu: str
    progress_url: str = ""
    progress_ca: str = ""

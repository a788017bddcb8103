"""What the operator's own configuration contributes to every plan."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """The operator's settings.

    `image_cpu` and `image_xeon` are the images of runs that name none, by runtime. There may be no
    image for xeon: then its runs must name one.
    `progress_url` is the base of the progress endpoint (scheme, host, port), `progress_ca` the PEM
    of the authority that signed its certificate. With an empty URL trainers report nothing.
    """

    image_cpu: str
    image_xeon: str = ""
    progress_url: str = ""
    progress_ca: str = ""

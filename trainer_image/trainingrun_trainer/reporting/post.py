"""One HTTPS POST of a report, with the token that stands in the file at that moment."""

from __future__ import annotations

import ssl
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from trainingrun_trainer.report import Report

TIME_OUT_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Endpoint:
    """Where reports go, as the operator wrote it into the pod's environment."""

    url: str
    ca_file: Path | None
    token_file: Path | None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Endpoint | None:
        """The endpoint; None where nobody listens."""
        url = env.get("KUBEFLOW_TRAINER_SERVER_URL")
        if not url:
            return None
        ca, token = (
            Path(value) if (value := env.get(f"KUBEFLOW_TRAINER_SERVER_{name}")) else None
            for name in ("CA_CERT", "TOKEN")
        )
        return cls(url, ca, token)

    def post(self, report: Report) -> None:
        """Sends one report.

        Raises:
            OSError: it did not arrive.
        """
        headers = {"Content-Type": "application/json"}
        if self.token_file is not None:
            # Read each time: the kubelet renews it.
            headers["Authorization"] = f"Bearer {self.token_file.read_text().strip()}"
        request = urllib.request.Request(  # noqa: S310 - the operator's URL, checked just below
            self.url,
            data=report.model_dump_json(by_alias=True, exclude_none=True).encode(),
            headers=headers,
            method="POST",
        )
        if request.type not in ("http", "https"):
            raise OSError(f"cannot post to a {request.type} URL")
        with urllib.request.urlopen(  # noqa: S310
            request, timeout=TIME_OUT_SECONDS, context=self._tls(request.type)
        ) as answer:
            answer.read()

    def _tls(self, scheme: str) -> ssl.SSLContext | None:
        if scheme != "https":
            return None
        return ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)

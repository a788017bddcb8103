"""One HTTPS POST of a report, with the token that stands in the file at that moment."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

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
            OSError: it did not arrive, or was refused; the message says which.
        """
        headers = {"Content-Type": "application/json"}
        if self.token_file is not None:
            # Read each time: the kubelet renews it.
            headers["Authorization"] = f"Bearer {self.token_file.read_text().strip()}"
        body = report.model_dump_json(by_alias=True, exclude_none=True).encode()
        parts = urlsplit(self.url)
        # Not urllib: a proxy that the user needs for the hub does not reach the operator, and a
        # redirect would carry the token elsewhere.
        with contextlib.closing(self._connection(parts)) as connection:
            try:
                connection.request("POST", parts.path or "/", body, headers)
                answer = connection.getresponse()
                text = answer.read(256).decode(errors="replace")
            except HTTPException as error:
                raise OSError(f"{parts.netloc} does not speak HTTP: {error!r}") from error
        if not 200 <= answer.status < 300:
            raise OSError(f"{parts.netloc} answers {answer.status}: {text}")

    def _connection(self, parts: SplitResult) -> HTTPConnection:
        if parts.hostname is None or parts.scheme not in ("http", "https"):
            raise OSError(f"{self.url!r} is no http or https URL")
        if parts.scheme == "http":
            return HTTPConnection(parts.hostname, parts.port, timeout=TIME_OUT_SECONDS)
        tls = ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)
        return HTTPSConnection(parts.hostname, parts.port, timeout=TIME_OUT_SECONDS, context=tls)

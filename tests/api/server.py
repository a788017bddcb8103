"""A bare API server for tests: two processes, a temporary folder, an admin's kubeconfig."""

from __future__ import annotations

import contextlib
import secrets
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import yaml
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hack.cluster import binaries
from trainingrun_operator.progress import certificates

START_SECONDS = 90
NOT_EPHEMERAL = range(20_000, 30_000)
"""Linux gives connections ports from 32768 on."""


@dataclass
class Program:
    """A process that can be killed and started again as it was."""

    log: Path
    argv: Sequence[str | Path]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process; what it says is added to the log."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(self.argv, stdout=output, stderr=output)

    def kill(self) -> None:
        """End the process without a warning, and wait for its end."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def ended(self, within_seconds: float) -> bool:
        """Whether the process ends by itself in this time."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process is None or self.process.wait(within_seconds) is not None
        return False


@dataclass(frozen=True)
class ApiServer:
    """A running API server, and the processes it consists of."""

    kubeconfig: Path
    url: str
    authority: Path
    token: str
    etcd: Program
    kube_apiserver: Program

    def wait_until_ready(self) -> None:
        """Return when it serves.

        Raises:
            RuntimeError: it does not; the end of its log is in the message.
        """
        _wait_until_ready(self.kube_apiserver, self.url, self.authority)


@contextlib.contextmanager
def running(folder: Path) -> Iterator[ApiServer]:
    """An API server whose state and logs are in `folder`, until the block ends."""
    programs = binaries.ensure("etcd", "kube-apiserver")
    etcd_port, peer_port, port = free_port(), free_port(), free_port()
    token, url = secrets.token_hex(16), f"https://127.0.0.1:{port}"
    _write_keys(folder, token)
    etcd = Program(folder / "etcd.log", [
        programs["etcd"],
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls=http://127.0.0.1:{etcd_port}",
        f"--advertise-client-urls=http://127.0.0.1:{etcd_port}",
        f"--listen-peer-urls=http://127.0.0.1:{peer_port}",
        "--unsafe-no-fsync",
    ])  # fmt: skip
    kube_apiserver = Program(folder / "kube-apiserver.log", [
        programs["kube-apiserver"],
        f"--etcd-servers=http://127.0.0.1:{etcd_port}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--tls-cert-file={folder / 'tls.crt'}",
        f"--tls-private-key-file={folder / 'tls.key'}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={folder / 'accounts.key'}",
        f"--service-account-signing-key-file={folder / 'accounts.key'}",
        "--service-cluster-ip-range=10.0.0.0/24",
        # No controller makes service accounts here.
        "--disable-admission-plugins=ServiceAccount",
    ])  # fmt: skip
    authority = folder / "ca.crt"
    kubeconfig = write_kubeconfig(folder, url, token, authority)
    server = ApiServer(kubeconfig, url, authority, token, etcd, kube_apiserver)
    try:
        etcd.start()
        kube_apiserver.start()
        server.wait_until_ready()
        yield server
    finally:
        kube_apiserver.kill()
        etcd.kill()


def free_port() -> int:
    """A port that nobody listens on, and that the kernel gives to no connection meanwhile."""
    while True:
        port = secrets.choice(NOT_EPHEMERAL)
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


def write_kubeconfig(folder: Path, url: str, token: str, authority: Path) -> Path:
    """A kubeconfig in `folder` for the holder of this token."""
    path = folder / "kubeconfig"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "clusters": [
            {
                "name": "test",
                "cluster": {"server": url, "certificate-authority": str(authority)},
            }
        ],
        "users": [{"name": "test", "user": {"token": token}}],
    }
    path.write_text(yaml.safe_dump(config))
    return path


def _write_keys(folder: Path, token: str) -> None:
    bundle = certificates.renewed(None, "127.0.0.1", datetime.now(UTC))
    (folder / "ca.crt").write_bytes(bundle.authority)
    (folder / "tls.crt").write_bytes(bundle.certificate)
    (folder / "tls.key").write_bytes(bundle.key)
    accounts = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = accounts.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    (folder / "accounts.key").write_bytes(pem)
    (folder / "tokens.csv").write_text(f'{token},admin,admin,"system:masters"\n')


def _wait_until_ready(server: Program, url: str, authority: Path) -> None:
    context = ssl.create_default_context(cafile=str(authority))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            httpx2.get(f"{url}/readyz", timeout=2, verify=context).raise_for_status()
        except httpx2.HTTPError:
            # The process ending is the one thing worth noticing before the next try.
            if server.ended(within_seconds=0.2):
                break
        else:
            return
    raise RuntimeError(f"kube-apiserver is not ready: {server.log.read_text()[-4000:]}")

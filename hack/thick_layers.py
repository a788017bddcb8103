"""Brings layers of gigabytes into the registry without waiting for `docker push`.

`docker push` compresses with one gzip thread: 270 s for the trainer's torch layer, measured.
skopeo does it with zstd in 76 s, most of it `docker save`. After that the engine is told, in its
own records, which blob each layer has become, so that every later push finds it already there
and sends thin layers only (0.1 s).

Only for an engine whose records can be reached (root, overlay2); any other pushes as usual.
"""

import json
import shutil
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hack.cluster.registry import ADDRESS
from hack.shell import Shell

THICK_BYTES: Final = 500 * 2**20
ACCEPTED: Final = "application/vnd.oci.image.manifest.v1+json"


@dataclass(frozen=True)
class Records:
    """The engine's records of its layers, below /var/lib/docker/image/overlay2."""

    folder: Path

    def sizes(self) -> dict[str, int]:
        """The unpacked size of every layer the engine has, by its digest."""
        found = {}
        for entry in (self.folder / "layerdb" / "sha256").iterdir():
            if (entry / "diff").is_file() and (entry / "size").is_file():
                found[(entry / "diff").read_text()] = int((entry / "size").read_text())
        return found

    def blobs(self, layer: str) -> list[str]:
        """The blobs that a layer was pushed to our registry as."""
        try:
            known = json.loads(self._file(layer).read_text())
        except FileNotFoundError:
            return []
        ours = f"{ADDRESS}/"
        return [item["Digest"] for item in known if item["SourceRepository"].startswith(ours)]

    def learn(self, layer: str, blob: str, repository: str) -> None:
        """Write down that the registry has a layer as this blob."""
        record = {"Digest": blob, "SourceRepository": f"{ADDRESS}/{repository}", "HMAC": ""}
        self._file(layer).write_text(json.dumps([record]))

    def _file(self, layer: str) -> Path:
        records = self.folder / "distribution" / "v2metadata-by-diffid" / "sha256"
        records.mkdir(parents=True, exist_ok=True)
        return records / layer.removeprefix("sha256:")


def bring(shell: Shell, image: str, repository: str, tag: str) -> None:
    """Make sure that pushing `image` to `repository:tag` has only thin layers left to send."""
    records = reachable_records(shell)
    if records is None or shutil.which("skopeo") is None:
        return
    layers = json.loads(
        shell.read("docker", "image", "inspect", "--format", "{{json .RootFS.Layers}}", image)
    )
    sizes = records.sizes()
    thick = [layer for layer in layers if sizes.get(layer, 0) > THICK_BYTES]
    if all(_in_registry(repository, records.blobs(layer)) for layer in thick):
        return
    shell.run(
        *("skopeo", "copy", "--insecure-policy", "--dest-tls-verify=false"),
        *("--dest-compress-format", "zstd", "--dest-compress-level", "1"),
        *(f"docker-daemon:{image}", f"docker://{ADDRESS}/{repository}:{tag}"),
    )
    for layer, blob in _pushed(repository, tag):
        records.learn(layer, blob, repository)


def reachable_records(shell: Shell) -> Records | None:
    """The engine's records, where they are of the known make and ours to write."""
    driver, _, root = shell.read(
        "docker", "info", "--format", "{{.Driver}} {{.DockerRootDir}}"
    ).partition(" ")
    folder = Path(root) / "image" / "overlay2"
    try:
        reachable = driver == "overlay2" and (folder / "distribution").is_dir()
    except PermissionError:
        return None
    return Records(folder) if reachable else None


def _pushed(repository: str, tag: str) -> Iterable[tuple[str, str]]:
    """Each layer of an image in the registry, with the blob it is there."""
    manifest = _get(f"{repository}/manifests/{tag}")
    config = _get(f"{repository}/blobs/{manifest['config']['digest']}")
    blobs = (layer["digest"] for layer in manifest["layers"])
    return zip(config["rootfs"]["diff_ids"], blobs, strict=True)


def _get(path: str) -> dict[str, Any]:
    request = urllib.request.Request(f"http://{ADDRESS}/v2/{path}", headers={"Accept": ACCEPTED})
    with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310 (our own registry)
        facts: dict[str, Any] = json.load(response)
    return facts


def _in_registry(repository: str, blobs: Iterable[str]) -> bool:
    for blob in blobs:
        request = urllib.request.Request(
            f"http://{ADDRESS}/v2/{repository}/blobs/{blob}", method="HEAD"
        )
        try:
            with urllib.request.urlopen(request, timeout=10):  # noqa: S310 (our own registry)
                return True
        except OSError:
            continue
    return False

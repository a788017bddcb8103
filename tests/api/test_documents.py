"""Every YAML that we show a user is one that the API server takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.api.cluster import Namespace
from tests.api.corpus import document

REPOSITORY = Path(__file__).parents[2]
BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
COLLECTIONS = {
    "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "TrainingRun": "/apis/trainingrun.io/v1alpha1/namespaces/{}/trainingruns",
}


def shown() -> Iterator[tuple[str, str]]:
    """Each document of the samples and of the pages' YAML blocks, with where it stands."""
    for sample in sorted((REPOSITORY / "manifests" / "samples").glob("*.yaml")):
        yield from _documents(sample.name, sample.read_text())
    for page in (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))):
        for block in BLOCK.finditer(page.read_text()):
            line = page.read_text().count("\n", 0, block.start()) + 2
            yield from _documents(f"{page.relative_to(REPOSITORY)}:{line}", block[1])


def _documents(where: str, text: str) -> Iterator[tuple[str, str]]:
    for number, part in enumerate(re.split(r"^---$", text, flags=re.MULTILINE)):
        # A block that shows one group of the spec is put into a run that is right otherwise.
        whole = part if "apiVersion:" in part else document(part)
        yield f"{where}#{number}", whole


@pytest.mark.parametrize(("where", "text"), [pytest.param(*pair, id=pair[0]) for pair in shown()])
def test_the_api_server_takes_what_we_show(where: str, text: str, namespace: Namespace) -> None:
    kind = yaml.safe_load(text)["kind"]
    answer = namespace.http.post(
        COLLECTIONS[kind].format(namespace.name),
        params={"fieldValidation": "Strict", "dryRun": "All", "fieldManager": "test"},
        content=text,
        headers={"Content-Type": "application/yaml"},
    )
    assert answer.status_code == 201, f"{where}: {answer.json()['message']}"

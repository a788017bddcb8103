"""What we render, before the real training operator's webhook."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.cluster.api import Cluster

GOLDEN = Path(__file__).parents[1] / "unit" / "operator" / "golden"


@pytest.mark.parametrize("golden", sorted(GOLDEN.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_webhook_and_the_api_server_take_each_golden_manifest(
    cluster: Cluster, namespace: str, golden: Path
) -> None:
    manifests = [m for m in yaml.safe_load_all(golden.read_text()) if m]
    for manifest in manifests:
        manifest["metadata"]["namespace"] = namespace

    printed = cluster.kubectl(
        "apply", "--dry-run=server", "--validate=strict", "--output=name", "--filename=-",
        stdin=yaml.safe_dump_all(manifests),
    )  # fmt: skip

    assert len(printed.split()) == len(manifests)

"""What an image's tag depends on, and what the engine is told of its layers."""

import json
from pathlib import Path

from hack.images import IMAGES, OPERATOR, TRAINER, copied, nameless, older
from hack.thick_layers import Records

DOCKERFILE = """
FROM debian AS base
COPY --chown=0:0 operator/requirements.lock .build/ca-certificates.cr[t] /build/
FROM base
COPY --from=base /opt/venv /opt/venv
COPY trainer/config.py \\
    trainer/report.py \\
    /opt/
"""


def test_an_image_depends_on_what_its_dockerfile_copies_but_not_on_the_host() -> None:
    assert copied(DOCKERFILE) == [
        "operator/requirements.lock",
        "trainer/config.py",
        "trainer/report.py",
    ]


def test_images_are_named_by_registry_repository_and_digest() -> None:
    for name, image in IMAGES.items():
        repository, _, tag = image.reference.rpartition(":")
        assert repository == f"localhost:5001/trainingrun-{name}"
        assert len(tag) == 12


def test_a_layer_is_remembered_as_the_blob_it_became(tmp_path: Path) -> None:
    records = Records(tmp_path)

    records.learn("sha256:aa", "sha256:bb", "trainingrun-trainer")

    assert records.blobs("sha256:aa") == ["sha256:bb"]
    assert records.blobs("sha256:cc") == []


def test_a_blob_of_another_registry_does_not_count(tmp_path: Path) -> None:
    records = Records(tmp_path)
    folder = tmp_path / "distribution" / "v2metadata-by-diffid" / "sha256"
    folder.mkdir(parents=True)
    (folder / "aa").write_text(
        json.dumps([{"Digest": "sha256:bb", "SourceRepository": "docker.io/library/debian"}])
    )

    assert records.blobs("sha256:aa") == []


def test_the_size_of_a_layer_is_read_from_the_engines_records(tmp_path: Path) -> None:
    entry = tmp_path / "layerdb" / "sha256" / "chain"
    entry.mkdir(parents=True)
    (entry / "diff").write_text("sha256:aa")
    (entry / "size").write_text("5000000000")

    assert Records(tmp_path).sizes() == {"sha256:aa": 5_000_000_000}


def test_only_other_tags_of_the_same_image_are_older() -> None:
    former = f"localhost:5001/{TRAINER.repository}:0123"

    assert older(TRAINER, [former, TRAINER.reference, OPERATOR.reference, "debian:1"]) == [former]


def test_a_record_is_left_over_once_no_name_has_its_manifest() -> None:
    manifests = {
        "localhost:5001/a:new": "sha256:m2",
        "sha256:config-old": "sha256:m1",
        "sha256:config-new": "sha256:m2",
    }

    assert nameless(manifests) == ["sha256:config-old"]

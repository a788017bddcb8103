"""The image of runtime xeon, whole but for oneCCL's binding, for which a stand-in is put in."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hack import xeon
from trainingrun_trainer.image_manifest import PATH, ImageManifest, Library, Runtime
from trainingrun_trainer.parity.ways import WAYS

pytestmark = pytest.mark.timeout(570)
STAND_INS = Path(__file__).parents[1] / "stand_ins"


def in_the_image(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *("docker", "run", "--rm", "--network", "host"),
            *("--volume", f"{STAND_INS}:/stand_ins:ro", "--env", "PYTHONDONTWRITEBYTECODE=1"),
            *("--env", "PYTHONPATH=/opt/trainingrun:/stand_ins"),
            *("--entrypoint", command[0], xeon.IMAGE.reference, *command[1:]),
        ],
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_says_what_is_in_it() -> None:
    manifest = ImageManifest.model_validate_json(in_the_image("cat", str(PATH)).stdout)
    assert (manifest.runtime, manifest.torch) == (Runtime.XEON, "2.8.0")
    assert manifest.libraries.keys() == set(Library)


def test_every_way_to_train_comes_to_the_same_losses() -> None:
    done = in_the_image("python", "-m", "trainingrun_trainer.parity")
    print(f"\n{done.stdout}")
    assert done.returncode == 0, done.stderr
    verdicts = [line.split("  ")[-1].strip() for line in done.stdout.splitlines()[1:]]
    assert verdicts == ["same"] * len(WAYS)

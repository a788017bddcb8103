"""Installs the operator of this checkout, by helm, as a user would."""

import subprocess
from pathlib import Path
from typing import Final

from hack import images
from hack.cluster import binaries, diagnose
from hack.environment import ROOT

RELEASE: Final = "trainingrun-operator"
NAMESPACE: Final = "trainingrun-system"
CHART: Final = ROOT / "charts" / "trainingrun-operator"
SELECTOR: Final = f"app.kubernetes.io/name={RELEASE}"


class InstallFailedError(Exception):
    """helm could not bring the operator up; carries what it said."""


def operator(kubeconfig: Path) -> None:
    """Install or upgrade the operator with the images of this checkout, and wait until it is up.

    Raises:
        InstallFailedError: it did not come up.
    """
    repository, _, tag = images.reference("operator").rpartition(":")
    argv = [
        str(binaries.ensure("helm")["helm"]),
        *("upgrade", "--install", RELEASE, str(CHART)),
        *("--kubeconfig", str(kubeconfig)),
        *("--namespace", NAMESPACE, "--create-namespace"),
        *("--set-string", f"image.repository={repository}"),
        *("--set-string", f"image.tag={tag}"),
        *("--set-string", f"trainerImages.cpu={images.reference('trainer')}"),
        *("--wait", "--timeout", "120s"),
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        diagnose.dump(kubeconfig, [NAMESPACE])
        raise InstallFailedError(done.stderr.strip() or done.stdout.strip())

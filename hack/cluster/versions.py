"""Every version the local cluster is made of."""

from typing import Final

# The last kind whose nodes may still run on cgroup v1.
KIND: Final = "v0.33.0"
# The newest minor version whose kubelet accepts cgroup v1 without being asked to.
KUBERNETES: Final = "v1.34.4"
# What this Kubernetes' kubeadm asks for (`kubeadm config images list`); checked at build time.
ETCD: Final = "v3.6.5"
COREDNS: Final = "v1.12.1"
PAUSE: Final = "3.10.1"

HELM: Final = "v3.22.0"
REGISTRY: Final = "v3.0.0"
TRAINING_OPERATOR: Final = "v1.9.4"
LOCAL_PATH_PROVISIONER: Final = "v0.0.30"

# Its systemd (252) still runs on cgroup v1; later ones do not.
DEBIAN: Final = "bookworm"


def minor(version: str) -> int:
    """The 34 of v1.34.4."""
    return int(version.removeprefix("v").split(".")[1])

"""The cluster's name service, which kubeadm installs and everything in a pod needs."""

from typing import Final

from hack.cluster.addons import Addon
from hack.cluster.source import Source, chosen
from hack.steps import Bound, Step

COREDNS: Final = Addon("kube-system", "coredns", "k8s-app=kube-dns")


def steps() -> list[Step]:
    """`name service`: waited for, as pods that come up before it fail in odd ways."""
    return [
        Step(
            name="name service",
            make=COREDNS.await_pods,
            present=COREDNS.pods_ready,
            needs=("pod network" if chosen() is Source.BUILD else "api server",),
            bound=Bound.NETWORK,
        )
    ]

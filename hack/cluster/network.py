"""The pod network, where kind's own cannot be pulled: a bridge on each node, and routes.

It enforces no NetworkPolicy: nothing that does can be had without pulling images. Tests of what
a policy keeps out need a cluster with a real network plug-in.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from hack.cluster.kind import READY_SECONDS, kubectl
from hack.shell import Shell
from hack.steps import Bound, Step

CONFIGURATION_FILE: Final = "/etc/cni/net.d/10-trainingrun.conflist"


@dataclass(frozen=True)
class Node:
    """A node's address, and the range its pods have theirs from."""

    name: str
    address: str
    pods: str


def steps() -> list[Step]:
    """`pod network`: looked after at every `up`, as routes are lost when a node restarts."""
    return [
        Step(
            name="pod network",
            make=_make,
            present=lambda shell: all(_has_routes(shell, *pair) for pair in _pairs(_nodes(shell))),
            needs=("api server",),
            bound=Bound.NETWORK,
        )
    ]


def plugin_configuration(node: Node) -> dict[str, Any]:
    """The CNI configuration of one node."""
    return {
        "cniVersion": "0.4.0",
        "name": "trainingrun",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni0",
                "isGateway": True,
                "ipMasq": True,
                "hairpinMode": True,
                "ipam": {
                    "type": "host-local",
                    "subnet": node.pods,
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def parse_nodes(listed: dict[str, Any]) -> list[Node]:
    """The nodes of a NodeList that have got a pod range."""
    return [
        Node(
            name=item["metadata"]["name"],
            address=next(
                address["address"]
                for address in item["status"]["addresses"]
                if address["type"] == "InternalIP"
            ),
            pods=item["spec"]["podCIDR"],
        )
        for item in listed["items"]
        if "podCIDR" in item["spec"]
    ]


def _nodes(shell: Shell) -> list[Node]:
    return parse_nodes(json.loads(shell.read(*kubectl("get", "nodes", "-o", "json"))))


def _pairs(nodes: list[Node]) -> list[tuple[Node, list[Node]]]:
    return [(node, [other for other in nodes if other != node]) for node in nodes]


def _has_routes(shell: Shell, node: Node, others: list[Node]) -> bool:
    routes = shell.read("docker", "exec", node.name, "ip", "route")
    return shell.ok("docker", "exec", node.name, "test", "-s", CONFIGURATION_FILE) and all(
        f"{other.pods} via {other.address} " in routes for other in others
    )


def _make(shell: Shell) -> None:
    for node, others in _pairs(_nodes(shell)):
        for other in others:
            shell.run(
                *("docker", "exec", node.name),
                *("ip", "route", "replace", other.pods, "via", other.address),
            )
        # Written beside and moved: containerd watches the folder and must not read half a file.
        shell.run(
            *("docker", "exec", "--interactive", node.name, "sh", "-c"),
            f"cat > /tmp/cni && mv /tmp/cni {CONFIGURATION_FILE}",
            stdin=json.dumps(plugin_configuration(node)),
        )
    shell.run(
        *kubectl("wait", "node", "--all", "--for=condition=Ready"),
        f"--timeout={READY_SECONDS}s",
    )

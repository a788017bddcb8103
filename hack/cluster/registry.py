"""The image registry of the local cluster: pushed to and pulled from as localhost:5001.

A container beside the nodes, whose data outlives cluster and engine in the cache: a trainer
image of several gigabytes is sent once.
"""

import json
import urllib.request
from typing import Final

from hack import cache
from hack.cluster import binaries, docker, kind, versions
from hack.cluster.golang import step_name
from hack.cluster.source import Source, chosen
from hack.shell import Shell, TimedOut
from hack.steps import Bound, Step

CONTAINER: Final = "trainingrun-registry"
ADDRESS: Final = "localhost:5001"
NETWORK: Final = "kind"  # kind gives the network of all its clusters this name
BUILT_IMAGE: Final = f"trainingrun/registry:{versions.REGISTRY}"
PULLED_IMAGE: Final = f"registry:{versions.REGISTRY.removeprefix('v')}"
CONFIGURATION: Final = {
    "version": 0.1,
    "log": {"level": "warn"},
    "storage": {
        "filesystem": {"rootdirectory": "/var/lib/registry"},
        "delete": {"enabled": True},
    },
    "http": {"addr": ":5000"},
}
NODE_FILE: Final = f"/etc/containerd/certs.d/{ADDRESS}/hosts.toml"


def steps() -> list[Step]:
    """`registry image`, `registry` (images can be pushed) and `registry for nodes` (pulled)."""
    building = chosen() is Source.BUILD
    return [
        Step(
            name="registry image",
            make=_make_image,
            present=lambda shell: docker.has_image(shell, _image()),
            needs=("engine", *((step_name(binaries.REGISTRY),) if building else ())),
            bound=Bound.NETWORK,
        ),
        Step(
            name="registry",
            make=_start,
            present=lambda _: answers(),
            needs=("registry image",),
            bound=Bound.NETWORK,
            mend="another program may hold port 5001 of this machine: end it",
        ),
        Step(
            name="registry for nodes",
            make=_introduce,
            present=_introduced,
            needs=("registry", "nodes"),
            bound=Bound.NETWORK,
        ),
    ]


def answers() -> bool:
    """Whether the registry answers on its published port."""
    try:
        with urllib.request.urlopen(f"http://{ADDRESS}/v2/", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def push(shell: Shell, local: str, name: str) -> str:
    """Push an image of the engine; gives the name to pull it by."""
    address = f"{ADDRESS}/{name}"
    shell.run("docker", "tag", local, address)
    shell.run("docker", "push", "--quiet", address)
    return address


def has(repository: str, tag: str) -> bool:
    """Whether the registry has an image already."""
    request = urllib.request.Request(
        f"http://{ADDRESS}/v2/{repository}/manifests/{tag}",
        method="HEAD",
        headers={
            "Accept": "application/vnd.docker.distribution.manifest.v2+json,"
            " application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
            return bool(response.status == 200)
    except OSError:
        return False


def _image() -> str:
    return BUILT_IMAGE if chosen() is Source.BUILD else PULLED_IMAGE


def _make_image(shell: Shell) -> None:
    if chosen() is Source.PULL:
        shell.run("docker", "pull", "--quiet", PULLED_IMAGE)
        return
    program = binaries.path("registry")
    entrypoint = 'ENTRYPOINT ["/bin/registry"]'
    docker.import_program(shell, BUILT_IMAGE, program, "/bin/registry", entrypoint)


def _start(shell: Shell) -> None:
    if docker.inspect(shell, "container", CONTAINER) is not None:
        if shell.ok("docker", "start", CONTAINER) and _comes_up(shell):
            return
        shell.run("docker", "rm", "--force", CONTAINER)
    file = cache.write(cache.root() / "cluster" / "registry.json", json.dumps(CONFIGURATION))
    shell.run(
        *("docker", "run", "--detach", "--name", CONTAINER),
        *("--publish", "127.0.0.1:5001:5000"),
        *("--volume", f"{cache.folder('registry')}:/var/lib/registry"),
        *("--volume", f"{file}:/etc/distribution/config.yml:ro"),
        *("--env", "OTEL_TRACES_EXPORTER=none"),
        *(_image(), "serve", "/etc/distribution/config.yml"),
    )
    if not _comes_up(shell):
        shell.ok("docker", "logs", CONTAINER)
        raise TimedOut("the registry does not answer")


def _comes_up(shell: Shell) -> bool:
    try:
        shell.wait_until("the registry answers", answers, seconds=20)
    except TimedOut:
        return False
    return True


def _host_name(shell: Shell, node: str) -> str:
    """How a node reaches the registry: by name, or by address where the name means nothing."""
    if shell.ok("docker", "exec", node, "getent", "hosts", CONTAINER):
        return CONTAINER
    facts = docker.inspect(shell, "container", CONTAINER) or {}
    return str(facts["NetworkSettings"]["Networks"][NETWORK]["IPAddress"])


def _hosts_file(host: str) -> str:
    return f'[host."http://{host}:5000"]\n  capabilities = ["pull", "resolve"]\n'


def _connected(shell: Shell) -> bool:
    facts = docker.inspect(shell, "container", CONTAINER) or {}
    return NETWORK in facts.get("NetworkSettings", {}).get("Networks", {})


def _introduced(shell: Shell) -> bool:
    # grep -F for the whole line: an address may have changed with a restart.
    return _connected(shell) and all(
        shell.ok(
            *("docker", "exec", node, "grep", "-qF"),
            *(f'"http://{_host_name(shell, node)}:5000"', NODE_FILE),
        )
        for node in kind.node_names(shell)
    )


def _introduce(shell: Shell) -> None:
    if not _connected(shell):
        shell.run("docker", "network", "connect", NETWORK, CONTAINER)
    for node in kind.node_names(shell):
        shell.run(
            *("docker", "exec", "--interactive", node, "sh", "-c"),
            f"mkdir -p $(dirname {NODE_FILE}) && cat > {NODE_FILE}",
            stdin=_hosts_file(_host_name(shell, node)),
        )

"""The pure parts of the local cluster."""

import json
from dataclasses import replace

import pytest

from hack.cluster import (
    addons,
    binaries,
    bounded_runc,
    diagnose,
    engine,
    golang,
    kind,
    network,
    versions,
)
from hack.cluster.preflight import FREE_GIB_TO_BUILD, Facts, missing
from hack.cluster.source import Source

BARE_DEBIAN = Facts(
    system="Linux",
    machine="x86_64",
    debian=True,
    root=True,
    engine=False,
    go=True,
    free_gib=100,
    source=Source.BUILD,
    tools_missing=("kind", "helm"),
    built=False,
)


def test_a_bare_debian_machine_with_root_and_go_lacks_nothing() -> None:
    assert missing(BARE_DEBIAN) == []


def test_a_machine_with_docker_kind_helm_and_a_network_needs_no_go() -> None:
    laptop = replace(
        BARE_DEBIAN, system="Darwin", engine=True, go=False, source=Source.PULL, tools_missing=()
    )

    assert missing(laptop) == []


@pytest.mark.parametrize(
    ("facts", "complaint"),
    [
        (replace(BARE_DEBIAN, root=False), "or run as root"),
        (replace(BARE_DEBIAN, debian=False), "install and start Docker"),
        (replace(BARE_DEBIAN, go=False), "Go 1.26 or newer is not on the PATH"),
        (replace(BARE_DEBIAN, free_gib=FREE_GIB_TO_BUILD - 1), "a build needs 30"),
        (replace(BARE_DEBIAN, machine="aarch64"), "use an x86-64 machine"),
        (replace(BARE_DEBIAN, system="Darwin", engine=True), "use a Linux machine"),
        (
            replace(BARE_DEBIAN, source=Source.PULL, go=False),
            "kind and helm not on the PATH, nor Go",
        ),
    ],
)
def test_what_is_missing_is_named_with_its_mend(facts: Facts, complaint: str) -> None:
    found = missing(facts)

    assert len(found) == 1
    assert complaint in found[0]


def test_everything_missing_is_named_at_once() -> None:
    facts = replace(BARE_DEBIAN, root=False, go=False, free_gib=1)

    assert len(missing(facts)) == 3


@pytest.mark.parametrize(
    ("name", "answer", "fit"),
    [
        ("kind", f"kind {versions.KIND} go1.26.0 linux/amd64", True),
        ("kind", "kind v0.20.0 go1.20 linux/amd64", False),
        ("helm", "v3.9.0+gabc", True),
        ("helm", "v4.0.0+gabc", False),
        ("kubectl", '{"clientVersion": {"gitVersion": "v1.35.1"}}', True),
        ("kubectl", '{"clientVersion": {"gitVersion": "v1.32.4-dispatcher"}}', False),
        ("kubectl", "no json", False),
    ],
)
def test_a_tool_on_the_path_is_used_if_its_version_fits(name: str, answer: str, fit: bool) -> None:
    assert binaries.fits(name, answer) is fit


def test_the_folder_of_a_program_changes_with_its_version() -> None:
    other = replace(binaries.HELM, version="v3.0.0")

    assert other.folder != binaries.HELM.folder


def test_kubernetes_staging_modules_are_replaced_by_the_published_ones() -> None:
    edited = {"Require": [{"Path": "k8s.io/api", "Version": "v0.0.0"}]}

    lines = golang.replacements(binaries.KUBERNETES, edited)

    assert lines == [f"replace k8s.io/api => k8s.io/api v0.{versions.KUBERNETES[3:]}"]


def test_a_capability_is_looked_up_in_the_bounding_set() -> None:
    status = "CapEff:\t000001ffffffffff\nCapBnd:\t000001fffeffffff\n"

    assert engine.bounding_set_lacks(24, status)
    assert not engine.bounding_set_lacks(21, status)


def test_runc_is_not_asked_for_what_the_machine_cannot_give() -> None:
    process = {
        "capabilities": {"bounding": ["CAP_SYS_ADMIN", "CAP_SYS_RESOURCE"]},
        "oomScoreAdj": -999,
        "args": ["sh"],
    }

    assert bounded_runc.bounded(process) == {
        "capabilities": {"bounding": ["CAP_SYS_ADMIN"]},
        "oomScoreAdj": 0,
        "args": ["sh"],
    }


@pytest.mark.parametrize(
    "arguments", [["create", "--bundle", "/b"], ["create", "-b", "/b"], ["--bundle=/b", "create"]]
)
def test_runcs_options_are_found_in_every_spelling(arguments: list[str]) -> None:
    assert bounded_runc.option(arguments, "--bundle", "-b") == "/b"


def test_a_node_without_a_pod_range_is_not_yet_part_of_the_network() -> None:
    address = {"type": "InternalIP", "address": "172.18.0.2"}
    listed = {
        "items": [
            {
                "metadata": {"name": "worker"},
                "spec": {"podCIDR": "10.244.1.0/24"},
                "status": {"addresses": [address]},
            },
            {"metadata": {"name": "new"}, "spec": {}, "status": {"addresses": [address]}},
        ]
    }

    nodes = network.parse_nodes(listed)

    assert [node.name for node in nodes] == ["worker"]
    assert '"subnet": "10.244.1.0/24"' in json.dumps(network.plugin_configuration(nodes[0]))


def test_pods_that_are_not_well_are_shown() -> None:
    listed = "good Running true true\nbad Running true false\ndone Succeeded false\nnew Pending\n"

    assert diagnose.sick(listed) == ["bad", "new"]


@pytest.mark.parametrize(
    ("started", "ready", "well"),
    [
        ("2026-01-01T10:00:05Z", True, True),
        ("2026-01-01T10:00:05Z", False, False),
        ("2026-01-01T09:00:00Z", True, False),
    ],
)
def test_what_a_node_said_before_it_was_restarted_does_not_count(
    started: str, ready: bool, well: bool
) -> None:
    boots = {"worker": kind.instant("2026-01-01T10:00:00.123456789Z")}
    container = {"ready": ready, "state": {"running": {"startedAt": started}}}
    pod = {"spec": {"nodeName": "worker"}, "status": {"containerStatuses": [container]}}

    assert addons.fresh([pod], boots) is well


def test_no_pods_are_not_ready_pods() -> None:
    assert not addons.fresh([], {})
    assert not addons.fresh([{"spec": {}, "status": {}}], {})


def test_a_node_is_alive_once_it_has_renewed_its_lease_since_its_start() -> None:
    began = {"worker": kind.instant("2026-01-01T10:00:00.1Z")}

    def lease(renewed: str) -> dict[str, dict[str, str]]:
        return {"metadata": {"name": "worker"}, "spec": {"renewTime": renewed}}

    assert kind.alive([lease("2026-01-01T10:00:09.123456Z")], began)
    assert not kind.alive([lease("2026-01-01T09:59:00.123456Z")], began)
    assert not kind.alive([], began)

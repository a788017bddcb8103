"""The rights that the install gives the operator, given to an account, taken and given back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.api.cluster import Namespace
from tests.api.manifests import Object

RBAC = Path(__file__).parents[2] / "manifests" / "install" / "rbac.yaml"
ACCOUNT = "trainingrun-operator"
PATHS = {
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
}


@dataclass(frozen=True)
class Rights:
    """The installed roles, under names of the namespace's own, and a token of their holder."""

    namespace: Namespace
    token: str

    @contextlib.contextmanager
    def without(self, verb: str, resource: str) -> Iterator[None]:
        """Take one verb from all roles until the block ends."""
        before = [m for m in _manifests(self.namespace) if m["kind"].endswith("Role")]
        for role in before:
            rules = [_less(rule, verb, resource) for rule in role["rules"]]
            self._put({**role, "rules": rules})
        yield
        for role in before:
            self._put(role)

    @contextlib.contextmanager
    def without_any(self) -> Iterator[None]:
        """Take all roles from their holder until the block ends."""
        bindings = [m for m in _manifests(self.namespace) if m["kind"].endswith("Binding")]
        for binding in bindings:
            path = f"{_path(self.namespace, binding)}/{binding['metadata']['name']}"
            self.namespace.http.delete(path).raise_for_status()
        yield
        for binding in bindings:
            path = _path(self.namespace, binding)
            self.namespace.http.post(path, json=binding).raise_for_status()

    def _put(self, role: Object) -> None:
        path = f"{_path(self.namespace, role)}/{role['metadata']['name']}"
        self.namespace.http.put(path, json=role).raise_for_status()


def install(namespace: Namespace) -> Rights:
    """Install what manifests/install says, for an account of the namespace."""
    namespace.make_account(ACCOUNT)
    for manifest in _manifests(namespace):
        namespace.http.post(_path(namespace, manifest), json=manifest).raise_for_status()
    return Rights(namespace, namespace.account_token(ACCOUNT))


def _manifests(namespace: Namespace) -> Iterator[Object]:
    for manifest in yaml.safe_load_all(RBAC.read_text()):
        manifest["metadata"].pop("namespace", None)
        manifest["metadata"]["name"] += f"-{namespace.name}"
        if "subjects" in manifest:
            manifest["subjects"][0]["namespace"] = namespace.name
            manifest["roleRef"]["name"] += f"-{namespace.name}"
        yield manifest


def _path(namespace: Namespace, manifest: Object) -> str:
    return PATHS[manifest["kind"]].format(namespace.name)


def _less(rule: Object, verb: str, resource: str) -> Object:
    if resource not in rule["resources"]:
        return rule
    return {**rule, "verbs": [each for each in rule["verbs"] if each != verb]}

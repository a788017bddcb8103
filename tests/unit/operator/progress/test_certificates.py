"""The endpoint's certificate: made once, renewed in time, shared by all operators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from trainingrun_operator.cluster.protocol import ConflictError, Secret
from trainingrun_operator.progress import certificates
from trainingrun_operator.progress.certificates import Bundle, ensure, renewed

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOST = "trainingrun-operator.trainingrun-system.svc"


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return renewed(None, HOST, NOW)


def test_a_good_certificate_is_kept(bundle: Bundle) -> None:
    assert renewed(bundle, HOST, NOW + timedelta(days=50)) == bundle


def test_a_certificate_near_its_end_is_made_anew_by_the_same_authority(bundle: Bundle) -> None:
    later = renewed(bundle, HOST, NOW + timedelta(days=61))

    assert later.certificate != bundle.certificate
    assert later.authority == bundle.authority


def test_an_authority_is_made_anew_long_before_its_end(bundle: Bundle) -> None:
    later = renewed(bundle, HOST, NOW + timedelta(days=3400))

    assert later.authority != bundle.authority


def test_a_certificate_for_another_host_is_made_anew(bundle: Bundle) -> None:
    assert renewed(bundle, "elsewhere.svc", NOW).certificate != bundle.certificate


def test_a_bundle_that_cannot_be_read_is_made_anew(bundle: Bundle) -> None:
    damaged = Bundle(b"not a certificate", bundle.authority_key, b"", b"")

    assert renewed(damaged, HOST, NOW).authority.startswith(b"-----BEGIN CERTIFICATE")


def test_the_certificate_is_signed_by_the_authority(bundle: Bundle) -> None:
    authority = x509.load_pem_x509_certificate(bundle.authority)

    x509.load_pem_x509_certificate(bundle.certificate).verify_directly_issued_by(authority)


def test_a_certificate_can_be_served_without_touching_a_disk(bundle: Bundle) -> None:
    certificates.load(certificates.server_context(), bundle)


@dataclass
class Secrets:
    """One secret; `rival` is written by another operator just before our first write."""

    secret: Secret | None = None
    rival: Mapping[str, bytes] | None = None

    async def read_secret(self, namespace: str, name: str) -> Secret | None:
        return self.secret

    async def write_secret(
        self, namespace: str, name: str, data: Mapping[str, bytes], resource_version: str
    ) -> None:
        if self.rival is not None:
            self.secret, self.rival = Secret(self.rival, "9"), None
        if resource_version != (self.secret.resource_version if self.secret else ""):
            raise ConflictError("changed")
        self.secret = Secret(data, "1")


async def test_a_certificate_that_is_made_is_found_by_the_next_operator() -> None:
    secrets = Secrets()

    first = await ensure(secrets, "system", HOST, lambda: NOW)

    assert await ensure(secrets, "system", HOST, lambda: NOW) == first


async def test_of_two_operators_the_first_ones_certificate_is_taken(bundle: Bundle) -> None:
    secrets = Secrets(rival=bundle.to_secret())

    assert await ensure(secrets, "system", HOST, lambda: NOW) == bundle

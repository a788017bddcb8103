"""The endpoint's own authority and certificate, kept in one secret and made anew in time."""

from __future__ import annotations

import ipaddress
import logging
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from trainingrun_operator.cluster.protocol import ConflictError, SecretStore

AUTHORITY_LIFETIME: Final = timedelta(days=3650)
AUTHORITY_RENEWED_BEFORE: Final = timedelta(days=400)
"""Longer than any run may take: a pod trusts the authority that it was started with."""
LIFETIME: Final = timedelta(days=90)
RENEWED_BEFORE: Final = timedelta(days=30)
CLOCK_SKEW: Final = timedelta(minutes=5)
TRIES: Final = 5
SECRET_NAME: Final = "trainingrun-progress-tls"  # noqa: S105 - a name, not a secret

Clock = Callable[[], datetime]
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bundle:
    """PEM texts: what clients trust, and what the server shows."""

    authority: bytes
    authority_key: bytes
    certificate: bytes
    key: bytes

    @classmethod
    def from_secret(cls, data: dict[str, bytes]) -> Self | None:
        """The bundle in a secret's data, None if it is not whole."""
        try:
            return cls(data["ca.crt"], data["ca.key"], data["tls.crt"], data["tls.key"])
        except KeyError:
            return None

    def to_secret(self) -> dict[str, bytes]:
        """A secret's data."""
        return {
            "ca.crt": self.authority,
            "ca.key": self.authority_key,
            "tls.crt": self.certificate,
            "tls.key": self.key,
        }


def renewed(bundle: Bundle | None, host: str, now: datetime) -> Bundle:
    """The same bundle while it is good for `host` for long enough, else one with what is new."""
    if bundle is None or not _lasts(bundle.authority, now + AUTHORITY_RENEWED_BEFORE):
        authority, authority_key = _authority(now)
    elif _lasts(bundle.certificate, now + RENEWED_BEFORE) and _names(bundle.certificate, host):
        return bundle
    else:
        authority, authority_key = bundle.authority, bundle.authority_key
    certificate, key = _certificate(authority, authority_key, host, now)
    return Bundle(authority, authority_key, certificate, key)


async def ensure(secrets: SecretStore, namespace: str, host: str, clock: Clock) -> Bundle:
    """The bundle in the operator's secret, made or renewed there if need be.

    Raises:
        ClusterError: the secret cannot be read or written.
    """
    for _ in range(TRIES):
        secret = await secrets.read_secret(namespace, SECRET_NAME)
        present = Bundle.from_secret(dict(secret.data)) if secret else None
        wanted = renewed(present, host, clock())
        if wanted == present:
            return wanted
        version = secret.resource_version if secret else ""
        try:
            await secrets.write_secret(namespace, SECRET_NAME, wanted.to_secret(), version)
        except ConflictError:
            continue  # another operator was first: take what it made
        logger.info("made a new certificate for %s", host)
        return wanted
    raise ConflictError(f"secret {SECRET_NAME} keeps changing; is more than one operator running?")


def server_context() -> ssl.SSLContext:
    """A TLS context to serve with, after `load`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def load(context: ssl.SSLContext, bundle: Bundle) -> None:
    """Show this certificate to connections made from now on."""
    # ssl reads files only; one in memory keeps the key off every disk and needs no writable folder.
    descriptor = os.memfd_create("tls")
    try:
        os.write(descriptor, bundle.certificate + bundle.key)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


def _authority(now: datetime) -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("trainingrun-operator progress CA")
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        _builder(name, name, key.public_key(), now, AUTHORITY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(Encoding.PEM), _pem(key)


def _certificate(
    authority: bytes, authority_key: bytes, host: str, now: datetime
) -> tuple[bytes, bytes]:
    signer = x509.load_pem_x509_certificate(authority)
    signing_key = load_pem_private_key(authority_key, password=None)
    if not isinstance(signing_key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"secret {SECRET_NAME} holds a key of another kind; delete the secret")
    key = ec.generate_private_key(ec.SECP256R1())
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key())
    certificate = (
        _builder(_name("trainingrun-operator"), signer.subject, key.public_key(), now, LIFETIME)
        .add_extension(x509.SubjectAlternativeName([_general_name(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
        .sign(signing_key, hashes.SHA256())
    )
    return certificate.public_bytes(Encoding.PEM), _pem(key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime,
    lifetime: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + lifetime)
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _lasts(certificate: bytes, until: datetime) -> bool:
    try:
        return x509.load_pem_x509_certificate(certificate).not_valid_after_utc > until
    except ValueError:
        return False


def _names(certificate: bytes, host: str) -> bool:
    extension = x509.load_pem_x509_certificate(certificate).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    return _general_name(host) in extension.value

"""A certificate authority that lives as long as the lab, its hosts' certificates and its clients'.

Keys are on the P-256 curve: 64 RSA keys would take seconds.
"""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOOPBACK = "127.0.0.1"

_FROM = datetime(2020, 1, 1, tzinfo=UTC)
_UNTIL = datetime(2049, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """A certificate and its key, as PEM files."""

    certificate: Path
    key: Path


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(content)


class Authority:
    """Issues certificates into a directory. ``ca_file`` is what a client must trust."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Drainboard lab")])
        self._certificate = self._self_signed()
        self.ca_file = directory / "ca.pem"
        self.ca_file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def server_context(self, host: str) -> ssl.SSLContext:
        """A TLS context for one host: its name, localhost and 127.0.0.1; a client certificate is welcome."""
        names = [x509.DNSName(name) for name in dict.fromkeys((_dns_name(host), "localhost"))]
        alternative = x509.SubjectAlternativeName([*names, x509.IPAddress(ipaddress.ip_address(LOOPBACK))])
        files = self._issue(host, host, ExtendedKeyUsageOID.SERVER_AUTH, alternative)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.num_tickets = 0
        context.load_cert_chain(files.certificate, files.key)
        context.load_verify_locations(self.ca_file)
        context.verify_mode = ssl.CERT_OPTIONAL
        files.key.unlink()
        files.certificate.unlink()
        return context

    def client_files(self, user: str) -> KeyFiles:
        """A certificate that signs this user in."""
        alternative = x509.SubjectAlternativeName([x509.DNSName("localhost")])
        return self._issue(f"client-{user.encode().hex()}", user, ExtendedKeyUsageOID.CLIENT_AUTH, alternative)

    def _self_signed(self) -> x509.Certificate:
        identifier = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        builder = self._builder(self._name, self._key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_key_usage(signs_certificates=True), critical=True)
        return builder.add_extension(identifier, critical=False).sign(self._key, hashes.SHA256())

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)
        return builder.serial_number(x509.random_serial_number()).not_valid_before(_FROM).not_valid_after(_UNTIL)

    def _issue(
        self, stem: str, name: str, usage: x509.ObjectIdentifier, alternative: x509.SubjectAlternativeName
    ) -> KeyFiles:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
        issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = self._builder(subject, key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(signs_certificates=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        builder = builder.add_extension(alternative, critical=False)
        certificate = builder.add_extension(issuer_key, critical=False).sign(self._key, hashes.SHA256())
        files = KeyFiles(self._directory / f"{stem}.pem", self._directory / f"{stem}.key")
        files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        plain = serialization.NoEncryption()
        write_private(
            files.key, key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        )
        return files


def _dns_name(host: str) -> str:
    """The host's name as a certificate may carry it."""
    return host.encode("idna").decode("ascii")


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def certificate_user(peer: object) -> str | None:
    """The user in a client certificate, as ``SSLSocket.getpeercert`` gives it; None without one."""
    if not isinstance(peer, dict):
        return None
    for names in peer.get("subject", ()):
        for kind, value in names:
            if kind == "commonName":
                return str(value)
    return None

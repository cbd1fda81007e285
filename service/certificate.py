"""A certificate that vouches for itself, for servers that have no other: STATE/certificate.pem and its key.

Clients take the file as the authority that they trust (`REQUESTS_CA_BUNDLE`). It is made once and kept, until it ends
soon or does not name what is listened on: who has a copy of it must fetch the new one then.
"""

from __future__ import annotations

import datetime
import ipaddress
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from .deployment_key import write_file

if TYPE_CHECKING:
    from cryptography import x509

#: Days that a certificate is good for, and how many before the end another is made.
_DAYS, _SOON = 3650, 30


class Certificate:
    def __init__(self, state: Path) -> None:
        self.file = state / "certificate.pem"
        self.key = state / "certificate-key.pem"

    def ensure(self, names: tuple[str, ...], now: float) -> bool:
        """Make a pair for these names and addresses, if none is there that serves. Whether one took the place of
        another. Raises OSError."""
        known = self._read()
        if known is not None and self.key.exists() and _serves(known, names, now):
            return False
        key, certificate = _make(names, now)
        write_file(self.key, key, 0o600)
        write_file(self.file, certificate, 0o644)
        return known is not None

    def _read(self) -> x509.Certificate | None:
        from cryptography import x509

        try:
            return x509.load_pem_x509_certificate(self.file.read_bytes())
        except (FileNotFoundError, ValueError):
            return None


def names_of(*hosts: str) -> tuple[str, ...]:
    """What a certificate of this machine names: `hosts` that are one address or name, and what it is called itself."""
    own = ("localhost", "127.0.0.1", "::1", socket.gethostname())
    found = dict.fromkeys((*own, *(host.partition("%")[0] for host in hosts)))
    return tuple(host for host in found if host and host not in ("0.0.0.0", "::"))


def _serves(certificate: x509.Certificate, names: tuple[str, ...], now: float) -> bool:
    from cryptography import x509

    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    soon = datetime.datetime.fromtimestamp(now, datetime.UTC) + datetime.timedelta(days=_SOON)
    return set(_general(names)) <= set(found) and certificate.not_valid_after_utc > soon


def _general(names: tuple[str, ...]) -> list[x509.GeneralName]:
    from cryptography import x509

    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found


def _make(names: tuple[str, ...], now: float) -> tuple[bytes, bytes]:
    """Key and certificate in PEM form."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ebbtide")])
    today = datetime.datetime.fromtimestamp(now, datetime.UTC)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # the clocks of clients may be behind
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName(_general(names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
    )
    certificate = builder.sign(key, hashes.SHA256())
    form = serialization.PrivateFormat.PKCS8
    private = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    return private, certificate.public_bytes(serialization.Encoding.PEM)

"""The same over TLS."""

import datetime
import ipaddress
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from runner.agent.transfer import TransferError

from .raw_server import OK, Server, got, head, put, takes

pytestmark = pytest.mark.usefixtures("at_once")


@pytest.fixture
def certified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Of a server at 127.0.0.1, whose certificate this process believes."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, begin, begin + datetime.timedelta(days=9))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "cert").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (tmp_path / "key").write_bytes(key.private_bytes(*form))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    return context


def secured(context: ssl.SSLContext, then: Callable[[ssl.SSLSocket], None]) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        try:
            with connection.dup() as copy, context.wrap_socket(copy, server_side=True) as secure:
                then(secure)
        except ssl.SSLError:
            pass  # the client does not believe the certificate, and says so itself

    return answer


def test_https(certified: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def give(secure: ssl.SSLSocket) -> None:
        asked.append(head(secure))
        secure.sendall(OK + b"Content-Length: 100000\r\n\r\n" + b"x" * 100_000)

    def take(secure: ssl.SSLSocket) -> None:
        asked.append(head(secure))
        takes(taken, False)(secure)

    taken: list[bytes] = []
    for then in (give, take):
        server = Server(secured(certified, then), clear=False)
        url = server.url.replace("http:", "https:") + "/a"
        if then is give:
            assert got(url) == b"x" * 100_000
        else:
            put(url)
        server.close()
    assert [each.split(" HTTP")[0] for each in asked] == ["GET /a", "PUT /a"] and taken == [b"hello"]
    assert "Expect" not in asked[1]
    monkeypatch.delenv("SSL_CERT_FILE")
    server = Server(secured(certified, lambda secure: None), clear=False)
    with pytest.raises(TransferError, match="certificate"):
        got(server.url.replace("http:", "https:"))
    server.close()

"""Clients that speak no TLS, or speak it badly, keep nobody else out."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.certificate import Certificate
from service.listening import Listening

from .network import GET, MOST, Network, opened, whole


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[Network]:
    own = Certificate(tmp_path)
    own.ensure(("127.0.0.1",), 1_790_000_000.0)
    with opened(tmp_path, Listening("127.0.0.1", 0, own.file, own.key)) as network:
        yield network


@pytest.fixture
def asked(secured: Network, tmp_path: Path) -> Callable[[], bool]:
    context = ssl.create_default_context(cafile=str(tmp_path / "certificate.pem"))

    def ask() -> bool:
        with context.wrap_socket(secured.connect(), server_hostname="127.0.0.1") as sock:
            assert sock.version() in ("TLSv1.2", "TLSv1.3")
            sock.sendall(GET + b"Connection: close\r\n\r\n")
            return whole(sock).endswith(b"<0>")

    return ask


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01\x02\x00", GET + b"\r\n", b"\0" * 100_000])
def test_handshakes_that_lead_nowhere(
    secured: Network, asked: Callable[[], bool], said: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    crowd = [secured.connect(said) for _ in range(3 * MOST)]
    assert asked(), "among them"
    for sock in crowd:
        whole(sock)  # they are hung up on
        sock.close()
    assert asked()
    assert not [record for record in caplog.records if record.name.startswith("service")]


def test_old_protocols_are_refused(secured: Network, asked: Callable[[], bool]) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(OSError), secured.connect() as sock:
        old.wrap_socket(sock)
    assert asked()

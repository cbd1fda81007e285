"""Where a server listens, what is refused, and the certificate that vouches for itself."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from service.certificate import Certificate, names_of
from service.listening import ListenError, Listening, address
from service.server import listening_of
from service.server_settings import ServerSettings


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("127.0.0.1:8470", ("127.0.0.1", 8470)),
        ("[::1]:0", ("::1", 0)),
        ("[fe80::1%eth0]:80", ("fe80::1%eth0", 80)),
        (":8470", ("0.0.0.0", 8470)),
        ("batch.example.com:443", ("batch.example.com", 443)),
        ("127.0.0.1", None),
        ("::1:8470", None),
        ("localhost:http", None),
        ("localhost:65536", None),
        ("", None),
    ],
)
def test_addresses(text: str, found: tuple[str, int] | None) -> None:
    if found is None:
        with pytest.raises(ListenError, match="is no HOST:PORT"):
            address(text)
    else:
        assert address(text) == found


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [
        ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),
        ("10.0.0.1", False), ("127.evil.example", False), ("localhost.evil.example", False), ("::ffff:10.0.0.1", False),
    ],
)  # fmt: skip
def test_what_only_this_machine_can_reach(host: str, is_loopback: bool) -> None:
    assert Listening(host, 1).is_loopback == is_loopback


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (ServerSettings(listen="0.0.0.0:0"), "give --tls, or --plain-http"),
        (ServerSettings(listen=":0"), "give --tls, or --plain-http"),
        (ServerSettings(listen="0.0.0.0:0", plain_http=True), None),
        (ServerSettings(listen="0.0.0.0:0", tls=True), None),
        (ServerSettings(certificate="c.pem"), "belong together"),
        (ServerSettings(certificate_key="k.pem"), "belong together"),
        (ServerSettings(certificate="/nowhere/c", certificate_key="/nowhere/k"), "cannot be used: No such file"),
        (ServerSettings(url="batch.example.com"), "is no URL"),
    ],
)
def test_what_is_refused_before_anything_begins(settings: ServerSettings, text: str | None) -> None:
    if text is None:
        assert not listening_of(settings).is_loopback
    else:
        with pytest.raises(ListenError, match=re.escape(text)):
            listening_of(settings)


def test_a_certificate_and_the_key_of_another(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = Certificate(tmp_path / "a"), Certificate(tmp_path / "b")
    for each in (one, other):
        assert not each.ensure(("localhost",), 1e9)
    good = listening_of(ServerSettings(certificate=str(one.file), certificate_key=str(one.key)))
    assert good.url.startswith("https://")
    with pytest.raises(ListenError, match="files in PEM form that belong together"):
        listening_of(ServerSettings(certificate=str(one.file), certificate_key=str(other.key)))
    with pytest.raises(ListenError, match="files in PEM form"):
        listening_of(ServerSettings(certificate=str(one.key), certificate_key=str(one.file)))


def test_a_certificate_is_kept_until_it_does_not_serve_any_more(tmp_path: Path) -> None:
    own, day = Certificate(tmp_path), 86400.0
    assert not own.ensure(names_of("127.0.0.1"), 1e9), "the first takes nobody's place"
    first = own.file.read_bytes()
    for names, now, replaced in (
        (names_of("0.0.0.0"), 1e9, False),
        (("localhost",), 1e9 + 3600 * day, False),
        (("localhost",), 1e9 + 3630 * day, True),
        (names_of("batch.example.com"), 1e9 + 3630 * day, True),
    ):
        before = own.file.read_bytes()
        assert own.ensure(names, now) == replaced
        assert (own.file.read_bytes() != before) == replaced
    assert own.file.read_bytes() != first
    own.file.write_text("no certificate")
    own.ensure(("localhost",), 1e9)
    assert listening_of(ServerSettings(certificate=str(own.file), certificate_key=str(own.key))).tls() is not None


def test_a_port_that_is_taken_and_an_address_of_another_machine() -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    with taken, pytest.raises(ListenError, match="another program listens there"):
        Listening("127.0.0.1", taken.getsockname()[1]).bind()
    with pytest.raises(ListenError, match="cannot be listened on"):
        Listening("192.0.2.1", 0).bind()

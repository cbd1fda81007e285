"""The store over HTTP: the Blob protocol's answers, and who gets them."""

from __future__ import annotations

import http.client
import os
import xml.etree.ElementTree as Xml
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from runner import LocalStore, Place, put_blob

from .door import NOW, Door, running

DATA = b"0123456789"


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Door]:
    with running(LocalStore(tmp_path / "storage")) as door:
        put_blob(door.store, "box", "a", [DATA])
        yield door


def ask(
    url: str, method: str = "GET", body: Any = None, headers: dict[str, str] | None = None
) -> tuple[int, bytes, http.client.HTTPMessage]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    try:
        chunked = "Transfer-Encoding" in (headers or {})
        connection.request(method, f"{parts.path}?{parts.query}", body, headers or {}, encode_chunked=chunked)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers
    finally:
        connection.close()


def code(told: tuple[int, bytes, http.client.HTTPMessage]) -> tuple[int, str | None]:
    status, body, headers = told
    if body:
        assert Xml.fromstring(body).findtext("Code") == headers["x-ms-error-code"]
    return status, headers["x-ms-error-code"]


@pytest.mark.parametrize(
    ("asked", "status", "body", "told"),
    [
        (None, 200, DATA, None),
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=4-", 206, b"456789", "bytes 4-9/10"),
        ("bytes=8-100", 206, b"89", "bytes 8-9/10"),
        ("bytes=-3", 200, DATA, None),
        ("lines=1-2", 200, DATA, None),
        (f"bytes=0-{'9' * 5000}", 200, DATA, None),
    ],
)
def test_ranges(local: Door, asked: str | None, status: int, body: bytes, told: str | None) -> None:
    for name in ("Range", "x-ms-range"):
        found = ask(local.url("a"), headers={name: asked} if asked else {})
        assert found[:2] == (status, body)
        assert found[2]["Content-Range"] == told and found[2]["Content-Length"] == str(len(body))


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=11-12", "bytes=5-4", f"bytes={'9' * 18}-"])
def test_ranges_that_cannot_be(local: Door, asked: str) -> None:
    assert code(ask(local.url("a"), headers={"Range": asked})) == (416, "InvalidRange")


def test_head_put_delete(local: Door) -> None:
    status, body, headers = ask(local.url("a"), "HEAD")
    assert (status, body, headers["Content-Length"]) == (200, b"", "10")
    assert headers["ETag"] == f'"{local.store.stat("box", "a").etag}"'
    assert ask(local.url("b"), "PUT", b"new")[0] == 201
    assert b"".join(local.store.read("box", "b")) == b"new"
    assert ask(local.url("b"), "DELETE")[0] == 202
    assert code(ask(local.url("b"), "DELETE")) == (404, "BlobNotFound")
    assert ask(local.url("b"), "PUT", iter([b"chunk", b"ed"]), {"Transfer-Encoding": "chunked"})[0] == 201


@pytest.mark.parametrize(
    ("method", "permissions", "granted"),
    [
        ("GET", "w", False),
        ("GET", "r", True),
        ("PUT", "rd", False),
        ("DELETE", "rwl", False),
        ("HEAD", "l", False),
    ],
)
def test_permissions(local: Door, method: str, permissions: str, granted: bool) -> None:
    status = ask(local.url("a", permissions), method, b"" if method == "PUT" else None)[0]
    assert (status == 200) if granted else (status == 403)
    assert b"".join(local.store.read("box", "a")) == DATA


def test_unsigned_and_expired(local: Door) -> None:
    unsigned = local.url("a").partition("?")[0]
    assert code(ask(unsigned)) == (403, "AuthenticationFailed")
    expired = local.signer.url(local.base, Place("box", "a"), "r", NOW - 1)
    assert code(ask(expired)) == (403, "AuthenticationFailed")
    assert code(ask(f"{local.base}/storage/box?comp=list")) == (403, "AuthenticationFailed")


def test_errors(local: Door) -> None:
    listing = local.url().replace("/box?", "/box?comp=list&")
    assert code(ask(local.url("no"))) == (404, "BlobNotFound")
    assert code(ask(local.url("x" * 1100), "PUT", b"")) == (400, "InvalidResourceName")
    assert code(ask(f"{listing}&maxresults=0")) == (400, "InvalidQueryParameterValue")
    assert code(ask(f"{listing}&maxresults={'9' * 5000}")) == (400, "InvalidQueryParameterValue")
    assert code(ask(f"{listing}&maxresults=x")) == (400, "InvalidQueryParameterValue")
    assert code(ask(f"{local.url('a')}&comp=block", "PUT", b"")) == (405, "UnsupportedHttpVerb")
    elsewhere = local.signer.url(local.base, Place("empty"), "rl", NOW + 60)
    assert code(ask(f"{elsewhere}&comp=list")) == (404, "ContainerNotFound")


def test_a_listing_in_pages(local: Door) -> None:
    for number in range(5):
        put_blob(local.store, "box", f"n{number}\n&<", [b"x" * number])
    found, marker = [], ""
    while True:
        from urllib.parse import quote

        status, body, _ = ask(f"{local.url()}&comp=list&restype=container&prefix=n&maxresults=2&marker={quote(marker)}")
        assert status == 200
        root = Xml.fromstring(body)
        for blob in root.iter("Blob"):
            name = blob.find("Name")
            assert name is not None and name.attrib == {"Encoded": "true"}
            found.append((name.text, blob.findtext("Properties/Content-Length")))
        next_marker = root.find("NextMarker")
        assert next_marker is not None
        if not next_marker.text:
            break
        from urllib.parse import unquote

        marker = unquote(next_marker.text)
    assert found == [(f"n{number}%0A%26%3C", str(number)) for number in range(5)]


def test_an_upload_that_breaks_off_leaves_nothing(local: Door) -> None:
    parts = urlsplit(local.url("half"))
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    connection.putrequest("PUT", f"{parts.path}?{parts.query}")
    connection.putheader("Content-Length", "1000000")
    connection.endheaders()
    connection.send(b"x" * 300_000)
    connection.close()
    assert code(ask(local.url("half"))) == (404, "BlobNotFound")
    assert ask(local.url("whole"), "PUT", b"x")[0] == 201


def test_a_full_disk_is_told(local: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    from runner import local_store

    class Full:
        def __getattr__(self, name: str) -> object:
            return getattr(os, name)

        def write(self, descriptor: int, data: bytes) -> int:
            raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(local_store, "os", Full())
    assert code(ask(local.url("b"), "PUT", b"x")) == (507, "OutOfSpace")
    monkeypatch.undo()
    assert [blob.name for blob in local.store.page("box").blobs] == ["a"]


# -- limits of what tasks may write ------------------------------------------------------------------------------------


def limited(door: Door, size: int) -> str:
    return door.signer.url(door.base, Place("box", "b"), "w", NOW + 60, scope="exact", size=size)


CHUNKED = {"Transfer-Encoding": "chunked"}


@pytest.mark.parametrize("headers", [{}, CHUNKED])
def test_no_more_than_was_signed_for(local: Door, headers: dict[str, str]) -> None:
    def body() -> Any:
        return iter([b"1234", b"5"]) if headers else b"12345"

    assert code(ask(limited(local, 4), "PUT", body(), headers)) == (413, "RequestBodyTooLarge")
    assert [blob.name for blob in local.store.page("box").blobs] == ["a"]
    assert ask(limited(local, 5), "PUT", body(), headers)[0] == 201


@pytest.mark.parametrize("headers", [{}, CHUNKED])
def test_tasks_leave_room_for_the_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    store = LocalStore(tmp_path / "storage", reserve=1 << 20)
    block, free = 4096, 300
    found = os.statvfs_result((block, block, 1 << 20, free, free, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda path: found)
    room = store.room()
    assert room == free * block - (1 << 20)
    with running(store) as door:

        def body(size: int) -> Any:
            return iter([b"x" * size]) if headers else b"x" * size

        assert code(ask(door.url("b"), "PUT", body(room + 1), headers)) == (507, "OutOfSpace")
        assert [path for path in (tmp_path / "storage").rglob("*") if path.is_file()] == []
        assert ask(door.url("b"), "PUT", body(room), headers)[0] == 201
        put_blob(store, "box", "ours", [b"x" * (room + 1)])  # the controller's own know no limit


def test_a_reserve_is_no_more_than_a_part_of_a_small_disk(tmp_path: Path) -> None:
    disk = os.statvfs(tmp_path)
    total = disk.f_blocks * disk.f_frsize
    room = LocalStore(tmp_path / "storage", reserve=1 << 60).room()
    assert room is not None and room >= disk.f_bavail * disk.f_frsize - total // 10
    assert LocalStore(tmp_path / "storage").room() is None

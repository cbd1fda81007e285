"""Signed addresses: what they grant, and nothing else."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner import Place, SignatureRefused, Signer, StorageUrlError, parse_storage_url
from runner.storage_urls import http_url, place_of

SIGNER = Signer(b"s" * 32)


def query(prefix: str = "in/", permissions: str = "rl", expires: float = 100.0, exact: bool = False) -> dict[str, str]:
    return dict(parse_qsl(SIGNER.query("box", prefix, permissions, expires, exact=exact), keep_blank_values=True))


@pytest.mark.parametrize(("name", "permission"), [("in/a", "r"), ("in/", "l"), ("in/b/c", "l")])
def test_granted(name: str, permission: str) -> None:
    SIGNER.check(query(), "box", name, permission, 99.0)


@pytest.mark.parametrize(
    ("container", "name", "permission", "now"),
    [
        ("box", "in/a", "w", 0.0),
        ("box", "out/a", "r", 0.0),
        ("box", "", "l", 0.0),
        ("box", "in", "r", 0.0),
        ("other", "in/a", "r", 0.0),
        ("box", "in/a", "r", 100.0),
    ],
)
def test_not_granted(container: str, name: str, permission: str, now: float) -> None:
    with pytest.raises(SignatureRefused):
        SIGNER.check(query(), container, name, permission, now)


@pytest.mark.parametrize("change", [{"sp": "rwl"}, {"se": "1000"}, {"sn": ""}, {"sr": "b"}, {"sig": ""}, {"sig": "é"}])
def test_changed_afterwards(change: dict[str, str]) -> None:
    with pytest.raises(SignatureRefused):
        SIGNER.check(query() | change, "box", "in/a", "r", 0.0)


def test_unsigned_and_of_another_deployment() -> None:
    for foreign in ({}, dict(parse_qsl(Signer(b"t" * 32).query("box", "", "r", 100.0)))):
        with pytest.raises(SignatureRefused):
            SIGNER.check(foreign, "box", "in/a", "r", 0.0)


def test_one_blob_alone() -> None:
    exact = query("in/a", "r", exact=True)
    SIGNER.check(exact, "box", "in/a", "r", 0.0)
    with pytest.raises(SignatureRefused):
        SIGNER.check(exact, "box", "in/ab", "r", 0.0)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=50))
def test_an_address_leads_back_to_its_place(name: str) -> None:
    place = Place("box", name)
    url = http_url("http://127.0.0.1:1", place)
    assert url.isascii() and place_of(url, "http://127.0.0.1:1") == place
    signed = SIGNER.url("http://127.0.0.1:1", place, "r", 100.0, exact=True)
    fields = dict(parse_qsl(urlsplit(signed).query, keep_blank_values=True))
    SIGNER.check(fields, "box", name, "r", 0.0)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("storage://box", Place("box")),
        ("storage://box/", Place("box")),
        ("STORAGE://box/a/b c?d", Place("box", "a/b c?d")),
        ("storage://a-1/../x", Place("a-1", "../x")),
    ],
)
def test_parse(url: str, place: Place) -> None:
    assert parse_storage_url(url) == place


@pytest.mark.parametrize("url", ["storage:/box", "storage://", "storage://Box", "storage:///a", "storage://box/\0"])
def test_parse_refuses(url: str) -> None:
    with pytest.raises(StorageUrlError):
        parse_storage_url(url)

"""Signed addresses: what they grant, and nothing else."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner import MisdirectedAddress, Place, SignatureRefused, Signer, StorageUrlError, parse_storage_url
from runner.storage_urls import Scope, http_url, place_of

SIGNER = Signer(b"s" * 32)


def query(
    name: str = "in/",
    permissions: str = "rl",
    expires: float = 100.0,
    scope: Scope = "prefix",
    size: int | None = None,
) -> dict[str, str]:
    signed = SIGNER.query("box", name, permissions, expires, scope=scope, size=size)
    return dict(parse_qsl(signed, keep_blank_values=True))


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


@pytest.mark.parametrize(
    "change",
    [{"sp": "rwl"}, {"se": "1000"}, {"sn": ""}, {"sr": "b"}, {"sr": "t"}, {"sz": "9"}, {"sig": ""}, {"sig": "é"}],
)
def test_changed_afterwards(change: dict[str, str]) -> None:
    with pytest.raises(SignatureRefused):
        SIGNER.check(query() | change, "box", "in/a", "r", 0.0)


def test_unsigned_and_of_another_deployment() -> None:
    foreign = dict(parse_qsl(Signer(b"t" * 32).query("box", "", "r", 100.0)))
    own = query()["sk"]
    for given_query, misdirected in (({}, False), (foreign, True), (foreign | {"sk": own}, False)):
        with pytest.raises(SignatureRefused) as caught:
            SIGNER.check(given_query, "box", "in/a", "r", 0.0)
        assert isinstance(caught.value, MisdirectedAddress) == misdirected


def test_one_blob_alone() -> None:
    exact = query("in/a", "r", scope="exact")
    SIGNER.check(exact, "box", "in/a", "r", 0.0)
    with pytest.raises(SignatureRefused):
        SIGNER.check(exact, "box", "in/ab", "r", 0.0)


@pytest.mark.parametrize(
    ("signed", "name", "granted"),
    [
        ("run1", "run1", True),
        ("run1", "run1/a/b", True),
        ("run1", "run10/a", False),
        ("run1", "run1-secret", False),
        ("run1", "run", False),
        ("", "anything", True),
    ],
)
def test_a_folder_and_what_is_below_it(signed: str, name: str, granted: bool) -> None:
    fields = query(signed, "w", scope="tree")
    if granted:
        SIGNER.check(fields, "box", name, "w", 0.0)
    else:
        with pytest.raises(SignatureRefused):
            SIGNER.check(fields, "box", name, "w", 0.0)


def test_to_write_is_not_to_delete() -> None:
    with pytest.raises(SignatureRefused):
        SIGNER.check(query("a", "rw"), "box", "a", "d", 0.0)


def test_the_size_is_signed() -> None:
    fields = query("a", "w", size=5)
    assert SIGNER.check(fields, "box", "a", "w", 0.0) == 5
    assert SIGNER.check(query("a", "w"), "box", "a", "w", 0.0) is None
    unlimited = {name: value for name, value in fields.items() if name != "sz"}
    for changed in (fields | {"sz": "6"}, unlimited):
        with pytest.raises(SignatureRefused):
            SIGNER.check(changed, "box", "a", "w", 0.0)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=50))
def test_an_address_leads_back_to_its_place(name: str) -> None:
    place = Place("box", name)
    url = http_url("http://127.0.0.1:1", place)
    assert url.isascii() and place_of(url, "http://127.0.0.1:1") == place
    signed = SIGNER.url("http://127.0.0.1:1", place, "r", 100.0, scope="exact")
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

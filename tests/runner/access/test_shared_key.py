"""Signatures of requests: those of the official clients hold, and nothing that was changed does."""

from __future__ import annotations

import base64
import json
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.shared_key import SKEW, SharedKeyError, account_and_signature, signature, signed_by

DOCUMENT = json.loads((Path(__file__).parent / "signed_requests.json").read_text())
KEY, ACCOUNT = DOCUMENT["key"], DOCUMENT["account"]
REQUESTS: list[dict[str, Any]] = DOCUMENT["requests"]
NOW = 1_800_000_000.0


def holds(request: dict[str, Any], key: str = KEY, later: float = 0.0) -> bool:
    account, signed = account_and_signature(request["headers"]["authorization"])
    now = parsedate_to_datetime(request["headers"]["ocp-date"]).timestamp() + later
    method, path, query = request["method"], request["path"], request["query"]
    return signed_by((key,), signed, account, method, path, query, request["headers"], now)


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda r: f"{r['client']} {r['method']} {r['path']}")
def test_requests_of_the_official_clients_hold_and_changed_ones_do_not(request_: dict[str, Any]) -> None:
    assert account_and_signature(request_["headers"]["authorization"])[0] == ACCOUNT
    assert holds(request_)
    assert not holds({**request_, "method": "POST" if request_["method"] != "POST" else "PUT"})
    assert not holds({**request_, "path": request_["path"] + "x"})
    assert not holds({**request_, "query": request_["query"] + "&x=y"})
    assert not holds(request_, key=base64.b64encode(b"another key").decode())
    for name in set(request_["headers"]) - {"authorization", "ocp-date"}:
        assert not holds({**request_, "headers": {**request_["headers"], name: "1"}}), name


@pytest.mark.parametrize("later", [SKEW + 1, -SKEW - 1])
def test_old_requests_and_those_of_the_future_are_refused(later: float) -> None:
    assert holds(REQUESTS[0], later=0.9 * later)
    with pytest.raises(SharedKeyError, match="15 minutes"):
        holds(REQUESTS[0], later=later)


@pytest.mark.parametrize(
    "header",
    ["", "Bearer x", "SharedKey", "SharedKey ebbtide", "SharedKey :x", "SharedKey ebbtide:", "sharedkeylite a:b"],
)
def test_headers_that_are_none(header: str) -> None:
    with pytest.raises(SharedKeyError):
        account_and_signature(header)


@pytest.mark.parametrize("date", [None, "", "yesterday", "2026-11-22T02:00:00Z"])
def test_a_request_says_when_it_was_made(date: str | None) -> None:
    headers = {} if date is None else {"ocp-date": date}
    with pytest.raises(SharedKeyError, match="date"):
        signed_by((KEY,), "x", ACCOUNT, "GET", "/jobs", "", headers, NOW)


HEADERS = st.dictionaries(
    st.sampled_from(["content-type", "if-match", "ocp-range", "ocp-x", "range", "content-length"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=10),
)


@given(
    st.sampled_from(["GET", "POST", "DELETE"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="?"), max_size=20),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30),
    HEADERS,
)
def test_what_is_signed_here_holds_here(method: str, path: str, query: str, headers: dict[str, str]) -> None:
    headers = {**headers, "ocp-date": formatdate(NOW, usegmt=True)}
    signed = signature(KEY, ACCOUNT, method, "/" + path, query, headers)
    assert signed_by((KEY,), signed, ACCOUNT, method, "/" + path, query, headers, NOW)
    assert not signed_by((KEY,), signed, ACCOUNT, method, "/x" + path, query, headers, NOW)


@pytest.mark.parametrize("junk", ["", "é", "=", "A" * 44, "\udcff"])
def test_junk_is_no_signature(junk: str) -> None:
    headers = {"ocp-date": formatdate(NOW, usegmt=True)}
    assert not signed_by((KEY,), junk, ACCOUNT, "GET", "/jobs", "", headers, NOW)

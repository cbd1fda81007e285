"""Tokens and keys of tasks: what one deployment makes for one execution, nothing else is taken for."""

from __future__ import annotations

import base64
import json
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner import CredentialError, Credentials, Scope
from runner.shared_key import signature

NOW = 1_800_000_000.0
MADE = Credentials(bytes(range(32)))
TOKEN = MADE.issue("job", "u-1", NOW + 60)


def test_a_token_says_what_it_is_good_for() -> None:
    assert MADE.verify(TOKEN, NOW) == Scope("job", "u-1", NOW + 60)
    assert MADE.verify(MADE.issue("s:job-1 é", "u-2", NOW + 1.5), NOW) == Scope("s:job-1 é", "u-2", NOW + 1.5)


def test_a_token_expires() -> None:
    MADE.verify(TOKEN, NOW + 59.9)
    with pytest.raises(CredentialError, match="expired"):
        MADE.verify(TOKEN, NOW + 60)


def forged() -> str:
    claims = base64.urlsafe_b64encode(json.dumps(["other", "u-1", NOW + 60]).encode()).rstrip(b"=").decode()
    return ".".join((TOKEN.split(".")[0], claims, TOKEN.split(".")[2]))


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "ebbtide1.",
        "ebbtide1..",
        TOKEN[len("ebbtide1.") :],
        TOKEN + "A",
        TOKEN.rpartition(".")[0],
        TOKEN.rpartition(".")[0] + ".",
        forged(),
        "ebbtide1.\udcff.é",
        Credentials(bytes(32)).issue("job", "u-1", NOW + 60),
    ],
)
def test_what_is_none_of_ours_is_refused_and_not_repeated(token: str) -> None:
    with pytest.raises(CredentialError) as refused:
        MADE.verify(token, NOW)
    assert TOKEN[10:40] not in str(refused.value)


@given(st.integers(0, len(TOKEN) - 1), st.characters(min_codepoint=33, max_codepoint=126))
def test_no_letter_may_be_changed(place: int, letter: str) -> None:
    changed = TOKEN[:place] + letter + TOKEN[place + 1 :]
    if changed != TOKEN:
        with pytest.raises(CredentialError):
            MADE.verify(changed, NOW)


def test_every_execution_has_a_key_of_its_own() -> None:
    keys = {
        Credentials(secret).shared_key(job, execution)
        for secret in (bytes(32), bytes(range(32)))
        for job in ("a", "b", 'a","b')
        for execution in ("u-1", "u-2")
    }
    assert len(keys) == 12
    assert all(len(base64.b64decode(key, validate=True)) == 32 for key in keys)


def signer(job: str, execution: str, candidates: list[tuple[str, str]], account: str = "ebbtide") -> tuple[str, str]:
    headers = {"ocp-date": formatdate(NOW, usegmt=True)}
    made = signature(MADE.shared_key(job, execution), account, "GET", "/jobs/x", "a=b", headers)
    return MADE.signer(
        f"SharedKey {account}:{made}", "ebbtide", "GET", "/jobs/x", "a=b", headers, candidates, NOW
    )


def test_a_request_is_that_of_the_execution_whose_key_signed_it() -> None:
    running = [("a", "u-1"), ("b", "u-2")]
    assert signer("a", "u-1", running) == ("a", "u-1")
    assert signer("b", "u-2", running) == ("b", "u-2")
    for job, execution in (("a", "u-2"), ("c", "u-3")):
        with pytest.raises(CredentialError, match="no key of an execution"):
            signer(job, execution, running)
    with pytest.raises(CredentialError, match="account"):
        signer("a", "u-1", running, account="other")


def test_a_secret_is_long_enough() -> None:
    with pytest.raises(ValueError, match="32"):
        Credentials(bytes(31))

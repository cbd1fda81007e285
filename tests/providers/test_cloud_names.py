"""Names in the alphabets of clouds: valid, always the same, never two alike; and back, where that is promised."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.cloud_names import host_name, label, label_key, tag, untag
from providers.console_keys import console_host_key

NAMES = st.text(min_size=1, max_size=128)


@given(NAMES)
def test_every_name_becomes_a_host_name(name: str) -> None:
    assert re.fullmatch(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", host_name(name))
    assert host_name(name) == host_name(name)


@given(NAMES, NAMES)
def test_two_names_stay_two(one: str, other: str) -> None:
    assert (host_name(one) == host_name(other)) == (one == other)
    assert (label(one) == label(other)) == (one == other)


def test_the_names_of_the_pool_manager_stay_as_they_are() -> None:
    assert host_name("ebbtide-0123456789ab-8f3a2b1c4d5e") == "ebbtide-0123456789ab-8f3a2b1c4d5e"


@given(NAMES)
def test_every_value_becomes_a_label(value: str) -> None:
    assert re.fullmatch(r"[a-z0-9_-]{0,63}", label(value))
    assert re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", label_key(value))


@given(st.text(max_size=60))
def test_a_tag_turns_back_into_its_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair is no text
        return
    assert re.fullmatch(r"[A-Za-z0-9_-]*", tag(text))
    assert untag(tag(text)) == text


ED = f"ssh-ed25519 {'A' * 68}"
RSA = f"ssh-rsa {'B' * 372}"


@pytest.mark.parametrize(
    ("console", "found"),
    [
        ("", None),
        (f"{ED} root@host", None),
        (f"-----BEGIN SSH HOST KEY KEYS-----\n{ED} root@host\n", None),
        (f"-----BEGIN SSH HOST KEY KEYS-----\r\n{RSA} r\r\n{ED} r\r\n-----END SSH HOST KEY KEYS-----\r\n", ED),
        (f"x\n-----BEGIN SSH HOST KEY KEYS-----\n{RSA}\n-----END SSH HOST KEY KEYS-----\ny", RSA),
        (
            f"-----BEGIN SSH HOST KEY KEYS-----\n{RSA}\n-----END SSH HOST KEY KEYS-----\n"
            f"-----BEGIN SSH HOST KEY KEYS-----\n{ED}\n-----END SSH HOST KEY KEYS-----\n",
            ED,
        ),
    ],
)
def test_the_host_key_of_a_console(console: str, found: str | None) -> None:
    assert console_host_key(console) == found

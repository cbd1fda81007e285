"""The SharedKey scheme of Azure Batch: how a request is signed with an account key, and how that is checked. Pure.

`Authorization: SharedKey ACCOUNT:SIGNATURE`, the signature being base64(HMAC-SHA256(key, string to sign)).
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Iterable, Mapping
from email.utils import parsedate_to_datetime
from hashlib import sha256
from urllib.parse import unquote_plus

#: A request may be so many seconds old, or come so many from the future.
SKEW = 15 * 60.0

_SCHEME = "SharedKey "
_SIGNED = (
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
)


class SharedKeyError(Exception):
    """The request cannot be checked; the message says what is wrong with it."""


def account_and_signature(authorization: str) -> tuple[str, str]:
    """The two parts of the header `Authorization`. Raises SharedKeyError."""
    if not authorization.startswith(_SCHEME):
        raise SharedKeyError("the scheme of the Authorization header is not SharedKey")
    account, colon, signature = authorization[len(_SCHEME) :].strip().rpartition(":")
    if not colon or not account or not signature:
        raise SharedKeyError("the Authorization header is not 'SharedKey ACCOUNT:SIGNATURE'")
    return account, signature


def signed_by(
    keys: Iterable[str],
    signature: str,
    account: str,
    method: str,
    raw_path: str,
    query: str,
    headers: Mapping[str, str],
    now: float,
) -> bool:
    """Was the request signed with one of the keys (base64)? All are tried, whichever it was.

    `raw_path` and `query` as they came over the wire, still percent-encoded; names of `headers` in lower case. Raises
    SharedKeyError if the request is too old, or does not say from when it is.
    """
    _check_date(headers, now)
    shown, signed = signature.encode("utf-8", "replace"), False
    texts = [text.encode() for text in _candidates(account, method, raw_path, query, headers)]
    for key in keys:
        secret = base64.b64decode(key)
        for text in texts:
            signed |= hmac.compare_digest(base64.b64encode(hmac.digest(secret, text, sha256)), shown)
    return signed


def signature(
    key: str, account: str, method: str, raw_path: str, query: str, headers: Mapping[str, str]
) -> str:
    """As a client makes it. Raises ValueError if the key is not base64."""
    try:
        secret = base64.b64decode(key, validate=True)
    except binascii.Error as error:
        raise ValueError("the key is not base64") from error
    text = string_to_sign(account, method, raw_path, query, headers)
    return base64.b64encode(hmac.digest(secret, text.encode(), sha256)).decode()


def string_to_sign(
    account: str,
    method: str,
    raw_path: str,
    query: str,
    headers: Mapping[str, str],
    named: Callable[[str], str] = str,
) -> str:
    """What the signature is made over; `named` turns names of query parameters into those that are signed."""
    lines = [method.upper(), *(headers.get(name, "") for name in _SIGNED)]
    lines += [f"{name}:{value}" for name, value in sorted(headers.items()) if name.startswith("ocp-")]
    parameters: dict[str, str] = {}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        name, value = named(unquote_plus(name)), unquote_plus(value)
        if name and value:
            parameters.setdefault(name, value)
    resource = "".join(f"\n{name}:{value}" for name, value in sorted(parameters.items()))
    return "\n".join(lines) + f"\n/{account}{raw_path}{resource}"


def _candidates(
    account: str, method: str, raw_path: str, query: str, headers: Mapping[str, str]
) -> list[str]:
    """Clients disagree on two points: some sign a length of 0 that their transport does not send, or the other way
    round; and some sign the names of query parameters in lower case."""
    lengths = [headers]
    if method.upper() not in ("GET", "HEAD") and headers.get("content-length", "0") == "0":
        lengths = [{**headers, "content-length": "0"}, {**headers, "content-length": ""}]
    texts: dict[str, None] = {}
    plain = query == query.lower() and "%" not in query
    spellings: tuple[Callable[[str], str], ...] = (str,) if plain else (str, str.lower)
    for each in lengths:
        for named in spellings:
            texts[string_to_sign(account, method, raw_path, query, each, named)] = None
    return list(texts)


def _check_date(headers: Mapping[str, str], now: float) -> None:
    stamp = headers.get("ocp-date") or headers.get("date")
    if not stamp:
        raise SharedKeyError("the request says in neither ocp-date nor Date when it was made")
    try:
        made = parsedate_to_datetime(stamp).timestamp()
    except (ValueError, OverflowError) as error:
        raise SharedKeyError("ocp-date is no date as of RFC 1123") from error
    if abs(now - made) > SKEW:
        raise SharedKeyError(f"the request was made more than {SKEW / 60:g} minutes ago, or ahead; compare the clocks")

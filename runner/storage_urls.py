"""Addresses in the built-in object store: what users write (`storage://CONTAINER/NAME`), and the signed HTTP addresses
by which nodes reach it. Pure.

A signed address is scoped to one container and to one name or all names with a prefix, to what may be done there (r:
read, w: write and delete, l: list), and expires.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from .door import STORAGE

SCHEME = "storage://"
#: Where the store stands below the base of the controller's HTTP addresses.
MOUNT = STORAGE
#: Longest name of a blob, in bytes of UTF-8 (as S3; Azure Blob Storage has 1,024 characters).
NAME_LIMIT = 1024
#: Most parts of it between slashes (Azure Blob Storage).
PARTS_LIMIT = 254

_CONTAINER = re.compile(r"(?=.{3,63}\Z)[a-z0-9]+(-[a-z0-9]+)*")


class StorageUrlError(ValueError):
    """A storage:// address that means nothing; the message says why and what would."""


class SignatureRefused(Exception):
    """The signature of an address is missing, wrong, expired or for something else."""


@dataclass(frozen=True, slots=True)
class Place:
    """`name` "": the container itself."""

    container: str
    name: str = ""

    def __str__(self) -> str:
        return f"{SCHEME}{self.container}" + (f"/{self.name}" if self.name else "")


def invalid_container(name: str) -> str | None:
    """What is wrong with the name of a container, or None (the rules of Azure Blob Storage)."""
    if _CONTAINER.fullmatch(name):
        return None
    return f"{name[:80]!r} is no container: 3 to 63 lower-case letters, digits and single hyphens between them"


def invalid_name(name: str) -> str | None:
    """What is wrong with the name of a blob, or None."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return "the name of a blob must be text that UTF-8 can write"
    if not 1 <= size <= NAME_LIMIT:
        return f"the name of a blob takes 1 to {NAME_LIMIT} bytes, not {size}"
    if name.count("/") >= PARTS_LIMIT:
        return f"the name of a blob has at most {PARTS_LIMIT} parts between slashes"
    return "the name of a blob may not hold NUL" if "\0" in name else None


def is_storage(url: str) -> bool:
    return url[: len(SCHEME)].lower() == SCHEME


def parse(url: str) -> Place:
    """`storage://CONTAINER[/NAME]`; the name is taken as it is written, nothing is decoded. Raises StorageUrlError."""
    if not is_storage(url):
        raise StorageUrlError(f"{url[:80]!r} does not begin with {SCHEME}")
    container, _, name = url[len(SCHEME) :].partition("/")
    fault = invalid_container(container) or (invalid_name(name) if name else None)
    if fault is not None:
        raise StorageUrlError(f"{fault}; write {SCHEME}CONTAINER/NAME")
    return Place(container, name)


def http_url(base: str, place: Place) -> str:
    """The address of a container or blob over HTTP, not signed. `base`: such as "http://127.0.0.1:1234"."""
    path = f"/{quote(place.name, safe='/')}" if place.name else ""
    return f"{base}{MOUNT}/{place.container}{path}"


class Signer:
    """Signs addresses with a secret of the deployment, which nobody else knows."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.new(secret, b"ebbtide storage addresses", sha256).digest()

    def query(self, container: str, prefix: str, permissions: str, expires: float, *, exact: bool = False) -> str:
        """The query that grants `permissions` (of "rwl") until `expires` on all names that begin with `prefix`, or
        (`exact`) on that name alone."""
        scope = "b" if exact else "p"
        fields = {"sp": permissions, "se": str(int(expires)), "sr": scope, "sn": prefix}
        return urlencode({**fields, "sig": self._signature(container, fields)}, quote_via=quote)

    def url(
        self, base: str, place: Place, permissions: str, expires: float, *, prefix: str = "", exact: bool = False
    ) -> str:
        """`http_url` with a query that grants what `query` says; `exact`: on the name of `place` alone."""
        scope = place.name if exact else prefix
        return f"{http_url(base, place)}?{self.query(place.container, scope, permissions, expires, exact=exact)}"

    def check(self, query: Mapping[str, str], container: str, name: str, permission: str, now: float) -> None:
        """Does the query grant this on that name? For a listing, `name` is its prefix. Raises SignatureRefused."""
        fields = {key: query.get(key, "") for key in ("sp", "se", "sr", "sn")}
        given = query.get("sig", "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, self._signature(container, fields).encode()):
            raise SignatureRefused("the address is not signed, or was changed after it was signed")
        if now >= int(fields["se"]):
            raise SignatureRefused("the signature of the address has expired")
        if permission not in fields["sp"]:
            raise SignatureRefused(f"the address was not signed for this (sp={fields['sp']})")
        held = name == fields["sn"] if fields["sr"] == "b" else name.startswith(fields["sn"])
        if not held:
            raise SignatureRefused("the address was signed for other names")

    def _signature(self, container: str, fields: Mapping[str, str]) -> str:
        # each part with its length: no two scopes are written alike
        parts = [container, *fields.values()]
        text = "".join(f"{len(part)}:{part}" for part in parts)
        return hmac.new(self._key, text.encode("utf-8", "surrogatepass"), sha256).hexdigest()


def signed(url: str, base: str, signer: Signer, permissions: str, expires: float, *, exact: bool) -> str:
    """The address with a signature if it leads into the store at `base` and has none; every other as it is.

    `exact`: for its name alone, else for all names that begin with it.
    """
    if not url.startswith(f"{base}{MOUNT}/"):
        return url
    place = place_of(url, base)
    query = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    if "sig" in query:
        return url
    return signer.url(base, place, permissions, expires, prefix=place.name, exact=exact)


def place_of(url: str, base: str) -> Place:
    """What an address of the store at `base` leads to."""
    container, _, name = url[len(base) + len(MOUNT) + 1 :].partition("?")[0].partition("/")
    return Place(container, unquote(name))

"""Addresses in the built-in object store: what users write (`storage://CONTAINER/NAME`), and the signed HTTP addresses
by which nodes reach it. Pure.

A signed address is scoped to one container and to names in it, to what may be done there (r: read, w: write, d: delete,
l: list), may bound the size of what is written, and expires.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal
from urllib.parse import quote, unquote, urlencode

from .door import STORAGE

SCHEME = "storage://"
#: Containers whose names begin so are the controller's own; specifications may not name them.
RESERVED = "ebbtide-"
#: Where the store stands below the base of the controller's HTTP addresses.
MOUNT = STORAGE
#: Longest name of a blob, in bytes of UTF-8 (as S3; Azure Blob Storage has 1,024 characters).
NAME_LIMIT = 1024
#: Most parts of it between slashes (Azure Blob Storage).
PARTS_LIMIT = 254

#: Which names a signature is for, and how it says so.
Scope = Literal["exact", "tree", "prefix"]
_SCOPES: dict[Scope, str] = {"exact": "b", "tree": "t", "prefix": "p"}

_CONTAINER = re.compile(r"(?=.{3,63}\Z)[a-z0-9]+(-[a-z0-9]+)*")


class StorageUrlError(ValueError):
    """A storage:// address that means nothing; the message says why and what would."""


class SignatureRefused(Exception):
    """The signature of an address is missing, wrong, expired or for something else."""


class MisdirectedAddress(SignatureRefused):
    """Another deployment signed it: on a machine that several share, its door may have been where ours is now."""


@dataclass(frozen=True, slots=True)
class Place:
    """`name` "": the container itself."""

    container: str
    name: str = ""

    @property
    def reserved(self) -> bool:
        return self.container.startswith(RESERVED)

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
        #: tells our addresses from those of other deployments
        self._name = hmac.new(self._key, b"name of the key", sha256).hexdigest()[:12]

    def query(
        self,
        container: str,
        name: str,
        permissions: str,
        expires: float,
        *,
        scope: Scope = "prefix",
        size: int | None = None,
    ) -> str:
        """The query that grants `permissions` (of "rwdl") until `expires`: on the blob `name` alone, on all below the
        folder `name` and the blob of that name ("tree"; "": everything), or on all that begin with `name` ("prefix").
        `size`: most bytes of what is written."""
        fields = {"sk": self._name, "sp": permissions, "se": str(int(expires)), "sr": _SCOPES[scope], "sn": name}
        if size is not None:
            fields["sz"] = str(size)
        return urlencode({**fields, "sig": self._signature(container, fields)}, quote_via=quote)

    def url(
        self,
        base: str,
        place: Place,
        permissions: str,
        expires: float,
        *,
        name: str | None = None,
        scope: Scope = "prefix",
        size: int | None = None,
    ) -> str:
        """`http_url` with a query that grants what `query` says. `name`: if it is not that of `place`."""
        wanted = place.name if name is None else name
        query = self.query(place.container, wanted, permissions, expires, scope=scope, size=size)
        return f"{http_url(base, place)}?{query}"

    def check(self, query: Mapping[str, str], container: str, name: str, permission: str, now: float) -> int | None:
        """Does the query grant this on that name? For a listing, `name` is its prefix. Returns the bytes that may be
        written; None: any number. Raises SignatureRefused, MisdirectedAddress."""
        if query.get("sk", self._name) != self._name:
            raise MisdirectedAddress("another deployment signed the address, and its controller is not here")
        fields = {key: query.get(key, "") for key in ("sk", "sp", "se", "sr", "sn")}
        if "sz" in query:
            fields["sz"] = query["sz"]
        given = query.get("sig", "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, self._signature(container, fields).encode()):
            raise SignatureRefused("the address is not signed, or was changed after it was signed")
        if now >= int(fields["se"]):
            raise SignatureRefused("the signature of the address has expired")
        if permission not in fields["sp"]:
            raise SignatureRefused(f"the address was not signed for this (sp={fields['sp']})")
        if not _covers(fields["sr"], fields["sn"], name):
            raise SignatureRefused("the address was signed for other names")
        return int(fields["sz"]) if "sz" in fields else None

    def _signature(self, container: str, fields: Mapping[str, str]) -> str:
        # each part with its length: no two scopes are written alike
        parts = [container, *fields.values()]
        text = "".join(f"{len(part)}:{part}" for part in parts)
        return hmac.new(self._key, text.encode("utf-8", "surrogatepass"), sha256).hexdigest()


def _covers(scope: str, signed: str, name: str) -> bool:
    if scope == _SCOPES["exact"]:
        return name == signed
    if scope == _SCOPES["tree"]:
        return not signed or name == signed or name.startswith(f"{signed}/")
    return name.startswith(signed)


def place_of(url: str, base: str) -> Place:
    """What an address of the store at `base` leads to."""
    container, _, name = url[len(base) + len(MOUNT) + 1 :].partition("?")[0].partition("/")
    return Place(container, unquote(name))

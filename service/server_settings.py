"""The settings of `ebbtide serve`, below `server`."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """`certificate` and `certificate_key`: files in PEM form; they mean TLS."""

    listen: Annotated[
        str, Meta(description="`HOST:PORT`, `[::1]:PORT`, or `:PORT` (every address); port 0: any that is free")
    ] = "127.0.0.1:8470"
    url: Annotated[
        str | None,
        Meta(description="what clients are told instead of that address, for instance the URL of a proxy before it"),
    ] = None
    tls: Annotated[
        bool, Meta(description="https; without `certificate`, with a self-signed pair that is kept in the state")
    ] = False
    certificate: Annotated[
        str | None, Meta(description="file (PEM) of the certificate, with those that vouch for it behind; means `tls`")
    ] = None
    certificate_key: Annotated[str | None, Meta(description="file (PEM) of its key, without a password")] = None
    plain_http: Annotated[
        bool, Meta(description="listen off loopback without TLS all the same: who listens on the way can read along")
    ] = False
    connections: Annotated[
        int,
        Meta(ge=8, le=100_000, description="connections at a time; beyond, a silent one [makes room](#limits)"),
    ] = 1000
    request_limit: Annotated[
        int, Meta(ge=65_536, description="bytes of a request's body; more is refused with `RequestBodyTooLarge`")
    ] = 16 * 1024 * 1024

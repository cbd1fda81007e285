"""Where `ebbtide serve` listens, and how."""

from __future__ import annotations

import errno
import ipaddress
import re
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

_ADDRESS = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+(?:%[0-9A-Za-z_.-]+)?)\]|(?P<host>[^:\[\]]*)):(?P<port>[0-9]{1,5})")
_BACKLOG = 512


class ListenError(ValueError):
    """An address that cannot be listened on, or a certificate that cannot be used; the message says why."""


@dataclass(frozen=True)
class Listening:
    """`certificate` and `key`: files in PEM form; None: without TLS. `told`: the URL that clients are told, if it is
    another than that of the address."""

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None
    told: str | None = None

    @property
    def is_loopback(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def url(self) -> str:
        """What clients are told."""
        if self.told is not None:
            return self.told.rstrip("/")
        host = socket.gethostname() if self.host in ("0.0.0.0", "::") else self.host
        host = f"[{host}]" if ":" in host else host
        return f"{'https' if self.certificate is not None else 'http'}://{host}:{self.port}"

    def bind(self) -> socket.socket:
        """Raises ListenError."""
        wide = self.host == "::" and socket.has_dualstack_ipv6()
        try:
            family, _, _, _, where = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)[0]
            return socket.create_server(where, family=family, backlog=_BACKLOG, dualstack_ipv6=wide)
        except OSError as exc:
            named = f"[{self.host}]" if ":" in self.host else self.host
            taken = exc.errno == errno.EADDRINUSE
            cure = "another program listens there; name another port" if taken else "name an address of this machine"
            why = (exc.strerror or str(exc)).partition(" (while")[0]
            raise ListenError(f"{named}:{self.port} cannot be listened on: {why}; {cure}") from None

    def tls(self) -> ssl.SSLContext | None:
        """Raises ListenError."""
        if self.certificate is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            # a key with a password would ask on the terminal, if there is one
            context.load_cert_chain(self.certificate, self.key, password=_no_password)
        except (OSError, ValueError) as exc:
            reason = exc.strerror or str(exc) if isinstance(exc, OSError) else str(exc)
            raise ListenError(
                f"the certificate {self.certificate} with the key {self.key} cannot be used: {reason}; both are to be "
                "files in PEM form that belong together"
            ) from None
        return context


def _no_password() -> str:
    raise ValueError("the key has a password; give one without (`openssl pkey -in KEY -out PLAIN`)")


def address(text: str) -> tuple[str, int]:
    """`127.0.0.1:8470`, `[::1]:8470`, `:8470` (every address of this machine). Raises ListenError."""
    found = _ADDRESS.fullmatch(text.strip())
    if found is None or int(found["port"]) > 65535:
        raise ListenError(f"{text!r} is no HOST:PORT, such as 127.0.0.1:8470, [::1]:8470 or 0.0.0.0:8470")
    return found["v6"] or found["host"] or "0.0.0.0", int(found["port"])

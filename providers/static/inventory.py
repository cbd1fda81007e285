"""The hosts of a `static` provider, as its settings list them."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paramiko

from ..errors import InvalidRequestError
from ..settings import SettingsReader

DEFAULT_SIZE = "static"
_HOST_KEY = re.compile(r"(ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}\Z")


@dataclass(frozen=True)
class Host:
    """One account on one machine. `node_root` and `authorized_keys` are relative to its home directory, or absolute."""

    address: str
    port: int
    user: str
    host_keys: tuple[str, ...]  # "type base64"; any of these is the right one, and no other
    identity: str | None  # file of the private key; None: the keys of the agent, then the usual files
    size: str
    node_root: str
    authorized_keys: str
    low_priority: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What tells it from the others, and how people call it."""
        where = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.user}@{where}:{self.port}"


@dataclass(frozen=True)
class _Defaults:
    user: str | None
    port: int
    identity: str | None
    known_hosts: str
    node_root: str
    authorized_keys: str
    size: str


def read_hosts(provider: str, reader: SettingsReader) -> tuple[tuple[Host, ...], str | None]:
    """Takes `hosts` and what holds for all of them. The hosts, and the size that most of them may be meant to have: the
    one of all that name none, or the only one there is. Raises InvalidRequestError."""
    defaults = _Defaults(
        user=reader.text("user"),
        port=reader.port("port", 22),
        identity=reader.text("identityFile"),
        known_hosts=reader.text("knownHosts") or "~/.ssh/known_hosts",
        node_root=reader.text("nodeRoot") or ".ebbtide/nodes",
        authorized_keys=reader.text("authorizedKeys") or ".ssh/authorized_keys",
        size=reader.text("size") or DEFAULT_SIZE,
    )
    listed = reader.listing("hosts")
    if not listed:
        raise InvalidRequestError(f"provider {provider}: set hosts to a list of machines, each with its address")
    known: dict[str, paramiko.HostKeys] = {}
    hosts = tuple(_host(f"{provider}, hosts[{i}]", each, defaults, known) for i, each in enumerate(listed))
    for i, host in enumerate(hosts):
        if host.key in (other.key for other in hosts[:i]):
            raise InvalidRequestError(f"provider {provider}, hosts[{i}]: {host.key} is listed twice; leave one out")
    sizes = {host.size for host in hosts}
    usual = defaults.size if defaults.size in sizes else next(iter(sizes)) if len(sizes) == 1 else None
    return hosts, usual


def _host(place: str, settings: Any, defaults: _Defaults, known: dict[str, paramiko.HostKeys]) -> Host:
    if isinstance(settings, str):
        settings = {"address": settings}
    if not isinstance(settings, Mapping):
        raise InvalidRequestError(f"provider {place} is {settings!r}; it must be a mapping with an address")
    reader = SettingsReader(place, settings)
    address, user = reader.text("address"), reader.text("user") or defaults.user
    port = reader.port("port", defaults.port)
    pinned, known_hosts = reader.text("hostKey"), reader.text("knownHosts") or defaults.known_hosts
    host = Host(
        address=address or "",
        port=port,
        user=user or "",
        host_keys=(),
        identity=reader.text("identityFile") or defaults.identity,
        size=reader.text("size") or defaults.size,
        node_root=_path(place, "nodeRoot", reader.text("nodeRoot") or defaults.node_root),
        authorized_keys=_path(place, "authorizedKeys", reader.text("authorizedKeys") or defaults.authorized_keys),
        low_priority=reader.flag("lowPriority"),
        labels=reader.mapping("labels"),
    )
    reader.finish()
    if not address:
        raise InvalidRequestError(f"provider {place}: set address to the machine's name or IP address")
    if not user:
        raise InvalidRequestError(f"provider {place}: set user to the account that is to run the tasks")
    keys = (_pinned(place, pinned),) if pinned else _known(address, port, known_hosts, known)
    return Host(**{**host.__dict__, "host_keys": keys})


def _path(place: str, key: str, path: str) -> str:
    """A folder below the home directory, or an absolute path; `~` is the home directory."""
    plain = path[2:] if path.startswith("~/") else path
    if ".." in plain.split("/") or plain.startswith("~") or "\0" in plain or "\n" in plain or not plain.strip("/"):
        raise InvalidRequestError(
            f"provider {place}: setting {key} is {path!r}; it must be a path on the host, absolute or below the home"
        )
    return plain.rstrip("/")


def _pinned(place: str, text: str) -> str:
    key = " ".join(text.split()[:2])
    try:
        base64.b64decode(key.partition(" ")[2], validate=True)
    except ValueError:
        key = ""
    if not _HOST_KEY.match(key):
        raise InvalidRequestError(
            f"provider {place}: hostKey is {text[:40]!r}; it must be what /etc/ssh/ssh_host_ed25519_key.pub holds on "
            "the machine: 'ssh-ed25519 AAAA...'"
        )
    return key


def _known(address: str, port: int, path: str, read: dict[str, paramiko.HostKeys]) -> tuple[str, ...]:
    """What the file knows of the host; () if nothing, or if there is no such file: then the host is left out."""
    if path not in read:
        read[path] = paramiko.HostKeys()
        try:
            read[path].load(str(Path(path).expanduser()))
        except OSError:
            pass
    found = read[path].lookup(address if port == 22 else f"[{address}]:{port}")
    return tuple(f"{kind} {key.get_base64()}" for kind, key in found.items()) if found else ()

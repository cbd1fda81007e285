"""OpenSSH servers on loopback ports, each with a home directory of its own: hosts of an inventory, without root."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from providers.processes import all_processes

from ..waiting import wait_until

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
_ACCOUNT = pwd.getpwuid(os.getuid())
USER = _ACCOUNT.pw_name


def unavailable() -> str | None:
    """Why there can be no hosts here; None if there can."""
    if not SSHD:
        return "there is no sshd here; on Debian and Ubuntu: apt-get install openssh-server"
    if os.path.basename(_ACCOUNT.pw_shell) in ("nologin", "false"):
        return f"sshd runs nothing for {USER}, whose shell is {_ACCOUNT.pw_shell}; test as somebody who may log in"
    return None


def make_key(path: Path) -> str:
    """A new private key in the file; its public half, "type base64"."""
    private = Ed25519PrivateKey.generate()
    raw, form = serialization.Encoding, serialization.PrivateFormat.OpenSSH
    path.write_bytes(private.private_bytes(raw.PEM, form, serialization.NoEncryption()))
    path.chmod(0o600)
    return private.public_key().public_bytes(raw.OpenSSH, serialization.PublicFormat.OpenSSH).decode()


class SshHost:
    """`home` is where its account lives, `public` the key that the inventory's owner logs in with."""

    def __init__(self, folder: Path, public: str) -> None:
        self.home = folder / "its home"
        self._folder = folder
        (self.home / ".ssh").mkdir(parents=True)
        self.keys = self.home / ".ssh" / "authorized_keys"
        self.keys.write_text(f"# the owner's\n{public} owner")  # without a line end, as people leave it
        self.host_key = make_key(folder / "host")
        self.environment = {"HOME": str(self.home)}
        with socket.create_server(("127.0.0.1", 0)) as reserved:
            self.port = reserved.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    def up(self) -> None:
        environment = " ".join(f'"{name}={value}"' for name, value in self.environment.items())
        (self._folder / "sshd_config").write_text(
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {self._folder / 'host'}\nPidFile none\n"
            f'AuthorizedKeysFile "{self.keys}"\nStrictModes no\n'
            f"SetEnv {environment}\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nUseDNS no\nLogLevel ERROR\n"
            "MaxStartups 100\nPrintLastLog no\n"
        )
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd's own demand, see sshd(8)
        command = [str(SSHD), "-D", "-f", str(self._folder / "sshd_config"), "-E", str(self._folder / "log")]
        null = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdin=null, preexec_fn=_die_with_parent)  # noqa: PLW1509 - one call
        wait_until(self._listens)

    def down(self) -> None:
        """The machine is out of reach: its server and all connections end. What runs on it is not killed."""
        if self._process is None:
            return
        self.freeze()
        for pid in list(self._servers()):
            os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def freeze(self) -> None:
        """It takes connections, and says nothing any more."""
        for pid in self._servers():
            os.kill(pid, signal.SIGSTOP)

    def _servers(self) -> Iterator[int]:
        """The listener first: once that is stopped it makes no more, and waits for none that has ended."""
        assert self._process is not None
        yield self._process.pid
        yield from (pid for pid in _descendants(self._process.pid) if _is_sshd(pid))

    def entry(self, **changes: Any) -> dict[str, Any]:
        """Its line in the inventory."""
        return {"address": "127.0.0.1", "port": self.port, "hostKey": self.host_key, **self._place(), **changes}

    def _place(self) -> dict[str, Any]:
        return {"authorizedKeys": str(self.keys)}

    def left(self) -> list[str]:
        """What a node has left on it."""
        own = [path for path in (self.home / ".ebbtide").glob("*") if path.name not in ("lock", "nodes")]
        roots = (self.home / ".ebbtide" / "nodes").glob("*")
        lines = [line for line in self.keys.read_bytes().splitlines() if b" ebbtide:" in line]
        return [str(path) for path in [*own, *roots]] + [line.decode() for line in lines]

    def _listens(self) -> bool:
        assert self._process is not None
        log = self._folder / "log"
        assert self._process.poll() is None, log.read_text() if log.exists() else "sshd ended"
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _is_sshd(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().startswith("sshd")  # its program is hidden from ordinary users
    except OSError:
        return False  # gone


def _descendants(of: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for row in all_processes():
        children.setdefault(row.parent, []).append(row.id.pid)
    found, todo = [], [of]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found

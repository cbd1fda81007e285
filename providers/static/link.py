"""A connection to one host of the inventory, and the program at its other end that answers."""

from __future__ import annotations

import base64
import json
import logging
import socket
import threading
import time
from collections.abc import Generator
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Any

import paramiko

from .inventory import Host

# Every way a connection ends is reported by an error here; paramiko's own log would say it again.
_QUIET = "providers.paramiko"
logging.getLogger(_QUIET).setLevel(logging.CRITICAL)

_RSA = ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")
_USUAL = ("id_ed25519", "id_ecdsa", "id_rsa")
_MARK = b"EBBTIDE-HOST "
_NOISE = 1 << 20  # so much may a login shell print before the program speaks
#: What the host gets, in the order in which it is loaded.
MODULES = ("clock", "processes", "sweep", "static.clean_up", "static.on_host")

_BOOT = """
import sys
v = sys.version_info
sys.stdout.write("EBBTIDE-HOST %d.%d.%d\\n" % v[:3])
sys.stdout.flush()
if v >= (3, 8):
    import json, types
    b = sys.stdin.buffer
    for name, text in json.loads(b.read(int(b.readline()))):
        m = sys.modules[name] = types.ModuleType(name)
        if text is None:
            m.__path__ = []
            m.__package__ = name
        else:
            m.__package__ = name.rpartition(".")[0]
            exec(compile(text, name, "exec"), m.__dict__)
    m.main()
"""


class HostDown(Exception):
    """The host cannot be asked: no answer, no login, another host key, no Python. The text says which, and the cure."""

    late = False  # it may still be at it


def _sources() -> bytes:
    top = __package__.partition(".")[0]
    parts: list[tuple[str, str | None]] = [(top, None), (f"{top}.static", None)]
    for name in MODULES:
        path = files(top).joinpath(*name.split(".")[:-1], f"{name.rpartition('.')[2]}.py")
        parts.append((f"{top}.{name}", path.read_text(encoding="utf-8")))
    data = json.dumps(parts).encode()
    return b"%d\n%s" % (len(data), data)


def command() -> str:
    """What starts the program on the host: one line without quotes inside, whatever shell takes it."""
    boot = base64.b64encode(_BOOT.encode()).decode()
    return f"exec python3 -I -S -c 'import base64; exec(base64.b64decode(\"{boot}\"))'"


class HostLink:
    """Connects when it is first asked; the connection is kept until `close`. One question at a time."""

    def __init__(self, host: Host, timeout: float) -> None:
        self._host = host
        self._timeout = timeout
        self.lock = threading.RLock()
        self._transport: paramiko.Transport | None = None
        self._channel: paramiko.Channel | None = None
        self._rest = b""
        self.shown = ""  # the host key, "type base64"

    def ask(self, request: dict[str, Any], within: float) -> dict[str, Any]:
        """The answer. Every question may be asked twice: a connection that has broken meanwhile is made anew once.

        Raises HostDown.
        """
        with self.lock:
            if self._channel is not None:
                try:
                    return self._ask(request, within)
                except HostDown as down:
                    if down.late:
                        raise
                    # else the connection may have been broken for long
            self._connect()
            return self._ask(request, within)

    def close(self) -> None:
        with self.lock:
            if self._transport is not None:
                self._transport.close()
            self._transport = self._channel = None
            self._rest = b""

    def _ask(self, request: dict[str, Any], within: float) -> dict[str, Any]:
        until = time.monotonic() + within
        try:
            assert self._channel is not None
            self._channel.settimeout(within)
            self._channel.sendall(json.dumps(request).encode() + b"\n")
            answer: dict[str, Any] = json.loads(self._line(until))
            return answer
        except (paramiko.SSHException, EOFError, OSError, ValueError) as error:
            late = isinstance(error, TimeoutError) and until - time.monotonic() < 0.05
            down = HostDown(f"{self._host.key} gave no answer within {within:g} s" if late else self._told(error))
            down.late = late
            self.close()
            raise down from error

    def _line(self, until: float) -> bytes:
        assert self._channel is not None
        while b"\n" not in self._rest:
            self._channel.settimeout(max(0.01, until - time.monotonic()))
            data = self._channel.recv(1 << 16)
            if not data:
                raise EOFError("the connection was closed")
            self._rest += data
            if len(self._rest) > _NOISE:
                raise EOFError("it prints without end")
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _connect(self) -> None:
        self.close()
        try:
            self._transport = self._open()
            self._start()
        except HostDown:
            self.close()
            raise
        except (paramiko.SSHException, EOFError, OSError) as error:
            text = self._told(error)
            self.close()
            raise HostDown(text) from error

    def _told(self, error: Exception) -> str:
        said = self._end_of_program() or (error.strerror if isinstance(error, OSError) else None)
        return f"{self._host.key}: {said or str(error) or type(error).__name__}"

    def _open(self) -> paramiko.Transport:
        host = self._host
        if not host.host_keys:
            raise HostDown(
                f"{host.key}: its host key is unknown, and none is accepted blindly: compare the key on the machine's "
                "own console, and put it into knownHosts, or into hostKey"
            )
        sock = socket.create_connection((host.address, host.port), timeout=self._timeout)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(self._timeout * 1000))
            transport = paramiko.Transport(sock)
        except BaseException:
            sock.close()
            raise
        try:
            self._handshake(transport)
        except BaseException:
            transport.close()
            raise
        return transport

    def _handshake(self, transport: paramiko.Transport) -> None:
        host = self._host
        transport.set_log_channel(_QUIET)
        transport.daemon = True
        transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = self._timeout
        options = transport.get_security_options()
        kinds = [name for key in host.host_keys for name in _names(key.partition(" ")[0])]
        options.key_types = [name for name in options.key_types if name in kinds] or options.key_types
        try:
            transport.start_client(timeout=self._timeout)
        except paramiko.ssh_exception.IncompatiblePeer as error:
            raise HostDown(f"{host.key} has no host key of a type that is known of it: {error}") from error
        shown = transport.get_remote_server_key()
        self.shown = f"{shown.get_name()} {shown.get_base64()}"
        if self.shown not in host.host_keys:
            raise HostDown(
                f"{host.key} shows another host key ({shown.get_name()} {shown.fingerprint}) than the one known: it is "
                "another machine, was installed anew, or somebody intercepts the connection; it is not used"
            )
        with closing(self._keys()) as keys:
            if not any(_lets_in(transport, host.user, key) for key in keys):
                tried = host.identity or "ssh-agent and ~/.ssh/id_*"
                cure = "put the public key into its authorized_keys"
                raise HostDown(f"{host.key} lets none of our keys in ({tried}): {cure}")
        transport.set_keepalive(30)

    def _keys(self) -> Generator[paramiko.PKey]:
        path = self._host.identity
        if path is not None:
            try:
                yield paramiko.PKey.from_path(Path(path).expanduser())
                return
            except paramiko.PasswordRequiredException as error:
                cure = "add it to ssh-agent and leave identityFile out"
                raise HostDown(f"{self._host.key}: the key {path} has a passphrase: {cure}") from error
            except (OSError, ValueError, paramiko.SSHException, paramiko.pkey.UnknownKeyType) as error:
                raise HostDown(f"{self._host.key}: identityFile {path} cannot be read: {error}") from error
        agent = paramiko.Agent()
        try:
            yield from agent.get_keys()
        finally:
            agent.close()
        for name in _USUAL:
            try:
                yield paramiko.PKey.from_path(Path("~/.ssh").expanduser() / name)
            except (OSError, ValueError, paramiko.SSHException, paramiko.pkey.UnknownKeyType):
                pass  # not there, or with a passphrase

    def _start(self) -> None:
        assert self._transport is not None
        channel = self._channel = self._transport.open_session(timeout=self._timeout)
        channel.settimeout(self._timeout)
        channel.exec_command(command())
        until = time.monotonic() + self._timeout
        while not (line := self._line(until)).startswith(_MARK):
            pass  # what the login shell prints
        version = tuple(int(part) for part in line[len(_MARK) :].split(b"."))
        if version < (3, 8):
            text = ".".join(str(part) for part in version)
            raise HostDown(f"{self._host.key}: its python3 is {text}: install Python 3.8 or later")
        channel.sendall(_sources())

    def _end_of_program(self) -> str | None:
        """Why the program ended, if it did and said so."""
        channel = self._channel
        if channel is None or not channel.status_event.wait(1.0 if channel.eof_received else 0.0):
            return None
        errors = channel.recv_stderr(2000).decode("utf-8", "replace") if channel.recv_stderr_ready() else ""
        if channel.exit_status == 127 or ("python3" in errors and "not found" in errors.lower()):
            return "has no python3: install Python 3.8 or later"
        last = errors.strip().rpartition("\n")[2]
        return f"the program on the host ended (exit code {channel.exit_status}): {last or 'no message'}"


def _lets_in(transport: paramiko.Transport, user: str, key: paramiko.PKey) -> bool:
    try:
        transport.auth_publickey(user, key)
    except paramiko.AuthenticationException:
        return False
    return transport.is_authenticated()


def _names(kind: str) -> tuple[str, ...]:
    return _RSA if kind == "ssh-rsa" else (kind,)

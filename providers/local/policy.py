"""Who may do what over an SSH connection to a local node."""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
)

from .forwards import Forwards
from .logins import Login, Logins
from .terminal import Terminal

#: What brings files of `scp` and `sftp`, where the machine has it.
_SFTP = tuple(f"/usr/{place}/sftp-server" for place in ("lib/openssh", "libexec/openssh", "lib/ssh", "libexec"))


@dataclass(frozen=True)
class Wanted:
    """What is to run on a channel; `command` None: a shell."""

    command: bytes | None
    terminal: Terminal | None = None


class Policy(paramiko.ServerInterface):
    """The controller: one user, one key, `exec` on session channels, forwarding of loopback ports, nothing else. Node
    users: by key or password, `exec`, shells, terminals and `sftp`; no forwarding."""

    def __init__(self, user: str, key: paramiko.PKey, forwards: Forwards, logins: Logins) -> None:
        self._user = user
        self._forwards = forwards
        self._key = key.asbytes()
        self._logins = logins
        self._terminals: dict[int, Terminal] = {}  # by channel id
        self.wanted: dict[int, Wanted] = {}  # by channel id, until the request is answered
        self.proved = False  # the client has done something that only an authenticated one may
        #: who it is, if it is not the controller; settled by the last check, which is the one that let the client in
        self.login: Login | None = None

    def get_allowed_auths(self, username: str) -> str:
        return "publickey" if username == self._user else "publickey,password"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        if username == self._user:
            return AUTH_SUCCESSFUL if hmac.compare_digest(key.asbytes(), self._key) else AUTH_FAILED
        self.login = self._logins.by_key(username, key.asbytes())
        return AUTH_FAILED if self.login is None else AUTH_SUCCESSFUL

    def check_auth_password(self, username: str, password: str) -> int:
        if username == self._user:
            return AUTH_FAILED
        self.login = self._logins.by_password(username, password)
        return AUTH_FAILED if self.login is None else AUTH_SUCCESSFUL

    def check_global_request(self, kind: str, msg: paramiko.Message) -> bool:
        self.proved = True
        return False

    def check_port_forward_request(self, address: str, port: int) -> int:
        self.proved = True
        return 0 if self.login is not None else self._forwards.listen(address, port)

    def cancel_port_forward_request(self, address: str, port: int) -> None:
        if self.login is None:
            self._forwards.cancel(port)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        self.proved = True
        return OPEN_SUCCEEDED if kind == "session" else OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        return self._want(channel, command)

    def check_channel_shell_request(self, channel: paramiko.Channel) -> bool:
        return self.login is not None and self._want(channel, None)

    def check_channel_subsystem_request(self, channel: paramiko.Channel, name: str) -> bool:
        server = next((path for path in _SFTP if os.access(path, os.X_OK)), None)
        if self.login is None or name != "sftp" or server is None:
            return False
        return self._want(channel, f"exec {server}".encode())

    def check_channel_pty_request(
        self,
        channel: paramiko.Channel,
        term: bytes,
        width: int,
        height: int,
        pixelwidth: int,
        pixelheight: int,
        modes: bytes,
    ) -> bool:
        if self.login is None or b"\0" in term:
            return False
        self._terminals[channel.get_id()] = Terminal(term.decode("ascii", "replace"), width, height)
        return True

    def check_channel_window_change_request(
        self, channel: paramiko.Channel, width: int, height: int, pixelwidth: int, pixelheight: int
    ) -> bool:
        terminal = self._terminals.get(channel.get_id())
        if terminal is not None:
            terminal.resize(width, height)
        return terminal is not None

    def forget(self, channel_id: int) -> None:
        """The channel is over."""
        self._terminals.pop(channel_id, None)

    def _want(self, channel: paramiko.Channel, command: bytes | None) -> bool:
        number = channel.get_id()
        self.wanted[number] = Wanted(command, self._terminals.get(number))
        return True

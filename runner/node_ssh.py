"""An authenticated SSH connection to a node whose host key is known beforehand."""

import io
import logging
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import paramiko

from .link_errors import AuthFailed, HostKeyMismatch, Unreachable, told
from .node_dialing import dial, greeted

# Every way a connection ends is reported by an error or a callback here; paramiko's own log would say it
# again.
_QUIET = "runner.paramiko"
logging.getLogger(_QUIET).setLevel(logging.CRITICAL)

WINDOW = 1 << 24  # bytes in flight; the default of 2 MB stalls large outputs on long ways
#: The same for each connection that the node forwards: there may be many, and none is read faster than it is answered.
FORWARDED_WINDOW = 1 << 20
#: A handshake is a few milliseconds of computing here: were very many done at once, all would take too long.
_handshakes = threading.BoundedSemaphore(32)
_KEYS: tuple[type[paramiko.PKey], ...] = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)
_RSA = ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")


class Peer(Protocol):
    """Where a node is. `host_key` in OpenSSH form, "type base64". (A provider's Vm is one.)"""

    @property
    def address(self) -> str | None: ...
    @property
    def port(self) -> int | None: ...
    @property
    def user(self) -> str: ...
    @property
    def host_key(self) -> str | None: ...
    @property
    def node_root(self) -> str: ...


@dataclass(frozen=True)
class LinkTimeouts:
    """Seconds."""

    connect: float = 10.0
    """Until the address answers; refused connections are tried again so long."""
    handshake: float = 20.0
    """For each of key exchange, authentication, opening a channel."""
    start: float = 60.0
    """Until the agent has said hello."""
    ping: float = 10.0
    """A link over which nothing came for so long is asked whether it lives."""
    silence: float = 30.0
    """A link over which nothing came for so long is dead."""
    transfer: float = 60.0
    """A file transfer that does not move for so long has failed."""


def load_private_key(text: str) -> paramiko.PKey:
    """A key in OpenSSH or PEM form, without passphrase. Raises ValueError."""
    for kind in _KEYS:
        try:
            return kind.from_private_key(io.StringIO(text))
        except (paramiko.SSHException, ValueError, IndexError):
            continue  # of another type
    raise ValueError("not an Ed25519, ECDSA or RSA private key in OpenSSH form without a passphrase")


def open_transport(
    peer: Peer, key: paramiko.PKey, timeouts: LinkTimeouts, gone: Callable[[], bool] = lambda: False
) -> paramiko.Transport:
    """Connects and authenticates, unless nobody wants it any more (`gone`). Raises Unreachable, HostKeyMismatch,
    AuthFailed.

    Hosts that are silent or hang keep no other host waiting: only those that have spoken take part in the handshakes,
    of which there are not too many at a time.
    """
    if peer.address is None or peer.port is None:
        raise Unreachable("the node has no address yet")
    if not peer.host_key:
        raise HostKeyMismatch(f"no host key is known for {peer.address}: it is never accepted blindly")
    place = f"{peer.address}:{peer.port}"
    reach = partial(dial, peer.address, peer.port, timeouts.connect, gone)
    try:
        sock = reach()
    except OSError as error:
        raise Unreachable(f"{place} does not answer: {error}") from error
    try:
        sock = greeted(sock, reach, timeouts.handshake, gone)
    except OSError as error:
        raise Unreachable(f"{place}: no SSH connection: {error}") from error
    with _handshakes:
        if gone():
            sock.close()
            raise Unreachable(f"{place}: the connection is not wanted any more")
        return _open(sock, peer.user, peer.host_key, key, place, timeouts)


def _open(
    sock: socket.socket, user: str, host_key: str, key: paramiko.PKey, place: str, timeouts: LinkTimeouts
) -> paramiko.Transport:
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # without it each message costs 40 ms
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(timeouts.silence * 1000))
        transport = paramiko.Transport(sock, default_window_size=FORWARDED_WINDOW)
    except (OSError, paramiko.SSHException) as error:
        sock.close()
        raise Unreachable(f"{place}: {error}") from error
    try:
        _handshake(transport, user, host_key, key, place, timeouts)
    except BaseException:
        transport.close()
        raise
    return transport


def _handshake(
    transport: paramiko.Transport,
    user: str,
    pinned: str,
    key: paramiko.PKey,
    place: str,
    timeouts: LinkTimeouts,
) -> None:
    transport.set_log_channel(_QUIET)
    transport.daemon = True
    transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = timeouts.handshake
    kind, _, rest = pinned.strip().partition(" ")
    options = transport.get_security_options()
    wanted = _RSA if kind == "ssh-rsa" else (kind,)
    options.key_types = [name for name in options.key_types if name in wanted] or options.key_types
    fast = "aes128-gcm@openssh.com"  # needs no separate MAC, which paramiko computes in Python
    if fast in options.ciphers:
        options.ciphers = [fast, *(name for name in options.ciphers if name != fast)]
    try:
        transport.start_client(timeout=timeouts.handshake)
        shown = transport.get_remote_server_key()
    except (paramiko.SSHException, EOFError, OSError) as error:
        if isinstance(error, paramiko.ssh_exception.IncompatiblePeer) and "host key" in str(error).lower():
            raise HostKeyMismatch(f"{place} has no host key of the pinned type {kind}") from error
        raise Unreachable(f"{place}: no SSH connection: {told(error)}") from error
    if (shown.get_name(), shown.get_base64()) != (kind, rest.split(" ")[0]):
        raise HostKeyMismatch(
            f"{place} shows another host key ({shown.get_name()} {shown.fingerprint}) than the one pinned: "
            "somebody else has this address now, or intercepts it; or it boots, and its user data has not run yet"
        )
    try:
        transport.auth_publickey(user, key)
    except (paramiko.AuthenticationException, paramiko.ssh_exception.BadAuthenticationType) as error:
        raise AuthFailed(f"{place} refuses the key for user {user!r}: {error}") from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise Unreachable(f"{place}: cut off while authenticating: {told(error)}") from error
    transport.set_keepalive(max(1, int(timeouts.ping)))


def open_channel(transport: paramiko.Transport, command: str, timeouts: LinkTimeouts) -> paramiko.Channel:
    """A channel that runs `command`. Raises Unreachable."""
    try:
        channel = transport.open_session(window_size=WINDOW, timeout=timeouts.handshake)
        channel.settimeout(timeouts.handshake)
        channel.exec_command(command)
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise Unreachable(f"no channel: {told(error)}") from error
    return channel


def close_channel(channel: paramiko.Channel) -> None:
    """Tell the node, if the SSH connection still stands: a channel says its end over it."""
    try:
        channel.close()
    except (OSError, EOFError, paramiko.SSHException):
        pass  # the connection is gone, and the channel with it

"""Bringing the agent to life on a node, over a connection that has just been made."""

import time
from collections.abc import Callable

import msgspec
import paramiko

from .agent_bundle import AgentBundle
from .link_errors import AgentFailed, AgentRefused, LinkError, NoPython, Unreachable, told
from .node_ssh import LinkTimeouts, open_channel

_MARK = b"EBBTIDE "
_NOISE = 1 << 20  # so much may a login shell print before the loader speaks
_NO_PYTHON = "the node has no python3: install Python 3.8 or later in its image, or have the VM's user data install it"


def start_agent(
    transport: paramiko.Transport,
    root: str,
    bundle: AgentBundle,
    on_line: Callable[[bytes], bool],
    timeouts: LinkTimeouts,
) -> tuple[paramiko.Channel, bytes]:
    """Uploads the agent if the node lacks it, and gives lines to `on_line` until that says True.

    Returns its channel, and what was read beyond. Raises Unreachable, NoPython, AgentRefused (fatal), AgentFailed.
    """
    command, loader = bundle.bootstrap(root)
    channel = open_channel(transport, command, timeouts)
    until = time.monotonic() + timeouts.start
    _send(channel, loader, until)
    rest = b""
    loaded = False
    late = "the agent did not start in time"
    while True:
        line, found, rest_after = rest.partition(b"\n")
        if not found:
            rest += _receive(channel, until, late)
            if not loaded and len(rest) > _NOISE:
                raise AgentFailed("the login shell of the node prints without end before it runs a command")
            continue
        rest = rest_after
        if loaded:
            if on_line(line):
                return channel, rest
        elif line == _MARK + b"booting":
            late = "its user data, the script of its first boot, has not come to its end yet"
        elif line.startswith(_MARK):
            loaded = True
            word, _, detail = line[len(_MARK) :].partition(b" ")
            if word == b"refuse":
                raise AgentRefused(str(msgspec.json.decode(detail)))
            if word == b"need":
                _send(channel, bundle.packed, until)
        # anything else is what the login shell prints


def _send(channel: paramiko.Channel, data: bytes, until: float) -> None:
    channel.settimeout(max(0.01, until - time.monotonic()))
    try:
        channel.sendall(data)
    except TimeoutError as error:
        raise Unreachable("the agent could not be uploaded in time") from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise _ended(channel, until) or Unreachable(f"the agent could not be uploaded: {told(error)}") from error


def _receive(channel: paramiko.Channel, until: float, late: str) -> bytes:
    channel.settimeout(max(0.01, until - time.monotonic()))
    try:
        data = channel.recv(1 << 18)
    except TimeoutError as error:
        raise Unreachable(late) from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise Unreachable(f"cut off while the agent started: {told(error)}") from error
    if not data:
        raise _ended(channel, until) or Unreachable("cut off while the agent started")
    return data


def _ended(channel: paramiko.Channel, until: float) -> LinkError | None:
    """Why the command on the channel has ended; None if the connection did.

    How it ended is told after the last of its output, perhaps much later on a busy node; or never, if the connection
    ends first, which wakes the wait too.
    """
    channel.status_event.wait(max(1.0, until - time.monotonic()))
    status = channel.exit_status
    errors = tail_of_errors(channel)
    if status == 127 or ("python3" in errors and "not found" in errors.lower()):
        return NoPython(_NO_PYTHON)
    if status < 0:
        return None
    return AgentFailed(f"the agent did not start (exit code {status}): {errors or 'no message'}")


def tail_of_errors(channel: paramiko.Channel) -> str:
    """The end of what came on standard error."""
    data = b""
    while channel.recv_stderr_ready():
        data = (data + channel.recv_stderr(1 << 16))[-2000:]
    return data.decode("utf-8", "replace").strip()

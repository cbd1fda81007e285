"""Bringing the agent to life on a node, over a channel on which the loader has just been started."""

import time
from collections.abc import Callable

import msgspec
import paramiko

from .agent_bundle import AgentBundle
from .link_errors import AgentFailed, AgentRefused, LinkError, NoPython, Unreachable

_MARK = b"EBBTIDE "
_NOISE = 1 << 20  # so much may a login shell print before the loader speaks
_NO_PYTHON = "the node has no python3: install Python 3.8 or later in its image, or have the VM's user data install it"


def start_agent(
    channel: paramiko.Channel, bundle: AgentBundle, on_line: Callable[[bytes], bool], timeout: float
) -> bytes:
    """Uploads the agent if the node lacks it, and gives lines to `on_line` until that says True.

    Returns what was read beyond. Raises Unreachable, NoPython, AgentRefused (fatal), AgentFailed.
    """
    until = time.monotonic() + timeout
    rest = b""
    loaded = False
    while True:
        line, found, rest_after = rest.partition(b"\n")
        if not found:
            rest += _receive(channel, until)
            if not loaded and len(rest) > _NOISE:
                raise AgentFailed("the login shell of the node prints without end before it runs a command")
            continue
        rest = rest_after
        if loaded:
            if on_line(line):
                return rest
        elif line.startswith(_MARK):
            loaded = True
            _answer(channel, bundle, line[len(_MARK) :])
        # anything else is what the login shell prints


def _answer(channel: paramiko.Channel, bundle: AgentBundle, said: bytes) -> None:
    word, _, detail = said.partition(b" ")
    if word == b"refuse":
        raise AgentRefused(str(msgspec.json.decode(detail)))
    if word == b"need":
        try:
            channel.sendall(bundle.data)
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise _ended(channel) or Unreachable(f"the agent could not be uploaded: {error}") from error


def _receive(channel: paramiko.Channel, until: float) -> bytes:
    channel.settimeout(max(0.01, until - time.monotonic()))
    try:
        data = channel.recv(1 << 18)
    except TimeoutError as error:
        raise Unreachable("the agent did not start in time") from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise Unreachable(f"cut off while the agent started: {error}") from error
    if not data:
        raise _ended(channel) or Unreachable("cut off while the agent started")
    return data


def _ended(channel: paramiko.Channel) -> LinkError | None:
    """Why the command on the channel has ended; None if the connection did."""
    transport = channel.get_transport()
    if not channel.status_event.wait(5.0) or not transport.is_active():
        return None
    status = channel.exit_status
    errors = tail_of_errors(channel)
    if status == 127 or ("python3" in errors and "not found" in errors.lower()):
        return NoPython(_NO_PYTHON)
    return AgentFailed(f"the agent did not start (exit code {status}): {errors or 'no message'}")


def tail_of_errors(channel: paramiko.Channel) -> str:
    """The end of what came on standard error."""
    data = b""
    while channel.recv_stderr_ready():
        data = (data + channel.recv_stderr(1 << 16))[-2000:]
    return data.decode("utf-8", "replace").strip()

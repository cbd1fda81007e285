"""A plain SSH client for the tests: what the product's own connection does, in as few lines as possible."""

import socket
from dataclasses import dataclass

import paramiko

from providers import Vm

PATIENCE = 60.0  # seconds for an answer, on a machine that has much else to do


@dataclass(frozen=True)
class Answer:
    status: int
    out: bytes
    err: bytes


def connect(vm: Vm, key: paramiko.PKey, user: str | None = None) -> paramiko.Transport:
    """Raises paramiko.AuthenticationException."""
    assert vm.address is not None and vm.port is not None
    sock = socket.create_connection((vm.address, vm.port), timeout=PATIENCE)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    transport = paramiko.Transport(sock)
    transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = PATIENCE
    try:
        transport.start_client(timeout=PATIENCE)
        server = transport.get_remote_server_key()
        assert f"{server.get_name()} {server.get_base64()}" == vm.host_key
        transport.auth_publickey(user or vm.user, key)
    except BaseException:
        transport.close()
        raise
    return transport


def start(transport: paramiko.Transport, command: str | bytes) -> paramiko.Channel:
    channel = transport.open_session(timeout=PATIENCE)
    channel.settimeout(PATIENCE)
    channel.exec_command(command)
    return channel


def run(transport: paramiko.Transport, command: str | bytes, stdin: bytes = b"") -> Answer:
    channel = start(transport, command)
    channel.sendall(stdin)
    channel.shutdown_write()
    out, err = channel.makefile("rb").read(), channel.makefile_stderr("rb").read()
    status = channel.recv_exit_status()
    channel.close()
    return Answer(status, out, err)

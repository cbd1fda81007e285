"""SSH to a host of the rig, as short as can be: for its own tests and its demo."""

from __future__ import annotations

import io
import socket
import time

import paramiko
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


def key_pair() -> tuple[paramiko.PKey, str]:
    """A fresh key, and its public half as EC2 imports it: ED25519 or RSA it must be."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    return paramiko.Ed25519Key.from_private_key(io.StringIO(private)), public


def connect(address: str, key: paramiko.PKey, user: str = "admin", within: float = 60.0) -> paramiko.Transport:
    """A connection, as soon as there is somebody to take it. Raises the last error when the time is over."""
    deadline = time.monotonic() + within
    while True:
        try:
            return _connect(address, key, user)
        except (OSError, EOFError, paramiko.SSHException):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def run(transport: paramiko.Transport, command: str) -> tuple[int, str]:
    """Exit code (-1: a signal or a lost connection), and what it has written to both streams."""
    with transport.open_session(timeout=30) as channel:
        channel.set_combine_stderr(True)
        channel.settimeout(60)
        channel.exec_command(command)
        text = b""
        while part := channel.recv(65536):
            text += part
        return channel.recv_exit_status(), text.decode()


def first_word(address: str, key: paramiko.PKey, user: str = "admin", command: str = "hostname") -> tuple[int, str]:
    transport = connect(address, key, user)
    try:
        return run(transport, command)
    finally:
        transport.close()


def host_key(transport: paramiko.Transport) -> str:
    key = transport.get_remote_server_key()
    return f"{key.get_name()} {key.get_base64()}"


def reaches(address: str, port: int = 22, within: float = 1.0) -> bool:
    """Does anybody take a connection there?"""
    try:
        socket.create_connection((address, port), timeout=within).close()
    except OSError:
        return False
    return True


def _connect(address: str, key: paramiko.PKey, user: str) -> paramiko.Transport:
    connection = socket.create_connection((address, 22), timeout=3)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    transport = paramiko.Transport(connection)
    try:
        transport.start_client(timeout=20)
        transport.auth_publickey(user, key)
    except BaseException:
        transport.close()
        raise
    return transport

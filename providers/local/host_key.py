"""Key material of a local node."""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path

import paramiko
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from paramiko.pkey import UnknownKeyType


def host_key(path: Path) -> tuple[paramiko.PKey, str]:
    """The ed25519 host key, and its public half as "type base64". It is made once, and kept in that file, so that a
    node that is rebooted is known again. Raises OSError.
    """
    try:
        private = path.read_text(encoding="ascii")
    except FileNotFoundError:
        made = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        private, new = made.decode(), path.with_suffix(".new")
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(made)
        os.rename(new, path)
    key = paramiko.Ed25519Key.from_private_key(io.StringIO(private))
    return key, f"{key.get_name()} {key.get_base64()}"


def parse_public(text: str) -> paramiko.PKey:
    """The key in OpenSSH's one-line form. Raises ValueError."""
    try:
        kind, data = text.split()[:2]
        return paramiko.PKey.from_type_string(kind, base64.b64decode(data, validate=True))
    except (ValueError, IndexError, paramiko.SSHException, UnknownKeyType) as exc:
        raise ValueError(f"{text[:40]!r} is not a public key in OpenSSH's form ('ssh-ed25519 AAAA...')") from exc

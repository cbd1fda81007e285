"""What an instance prints on its console when it boots, as far as anybody reads it: the host keys of cloud-init."""

from __future__ import annotations

import base64
import re
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_private_key,
)

_PRIVATE_KEY = re.compile(rb"-----BEGIN OPENSSH PRIVATE KEY-----.*?-----END OPENSSH PRIVATE KEY-----", re.DOTALL)


def new_host_key() -> tuple[str, str]:
    """A fresh key: private (OpenSSH form), public ("type base64")."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    return private, key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def key_of(user_data: bytes) -> str | None:
    """The public half of the first private key in it: the one that it will put in place, or None."""
    found = _PRIVATE_KEY.search(user_data)
    if found is None:
        return None
    key = load_ssh_private_key(found.group() + b"\n", None)
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def user_data_of(instance: Any) -> bytes:
    """As the instance sees it."""
    return base64.b64decode(str(instance.user_data)) if instance.user_data else b""


def host_keys_block(keys: list[str], name: str) -> str:
    lines = "".join(f"{key} root@{name}\n" for key in keys)
    return f"-----BEGIN SSH HOST KEY KEYS-----\n{lines}-----END SSH HOST KEY KEYS-----\n"


def boot_text(name: str, keys: list[str]) -> str:
    return (
        "[    0.000000] Linux version 6.1.0-rig-cloud-amd64\n"
        f"[    1.204211] systemd[1]: Hostname set to <{name}>.\n"
        f"{name} login: cloud-init: running 'modules:final'\n" + host_keys_block(keys, name)
    )

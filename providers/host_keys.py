"""The SSH host key of each VM, derived from the deployment's secret and the VM's name.

Nothing is stored: whoever holds the secret can tell the key of any VM, also after a crash in the middle of its
creation. The node gets the private part in its user data; the public part is pinned.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import textwrap

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class HostKeys:
    def __init__(self, secret: bytes) -> None:
        """`secret`: at least 32 bytes that only this deployment has. Raises ValueError if they are fewer."""
        if len(secret) < 32:
            raise ValueError("the secret of host keys has at least 32 bytes")
        self._secret = secret

    def private(self, vm_name: str) -> str:
        """The VM's private host key in OpenSSH form, byte by byte the same each time: a create call that is made again
        must be the same call."""
        key = self._key(vm_name)
        seed = key.private_bytes(
            serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
        )
        public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return _openssh(seed, public)

    def public(self, vm_name: str) -> str:
        """The VM's public host key in OpenSSH form, "type base64"."""
        key = self._key(vm_name).public_key()
        return key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()

    def _key(self, vm_name: str) -> Ed25519PrivateKey:
        seed = hmac.new(self._secret, b"ssh host key of " + vm_name.encode(), hashlib.sha256).digest()
        return Ed25519PrivateKey.from_private_bytes(seed)


def _openssh(seed: bytes, public: bytes) -> str:
    """The file of an ed25519 key without a passphrase, as OpenSSH's PROTOCOL.key describes it.

    The number that stands in it twice, to tell a wrong passphrase, is a random one elsewhere: here it is not.
    """
    kind = _string(b"ssh-ed25519") + _string(public)
    check = hashlib.sha256(public).digest()[:4]
    inner = check + check + kind + _string(seed + public) + _string(b"")
    inner += bytes(range(1, 1 + -len(inner) % 8))
    none = _string(b"none")
    file = b"openssh-key-v1\0" + none + none + _string(b"") + (1).to_bytes(4, "big") + _string(kind) + _string(inner)
    lines = "\n".join(textwrap.wrap(base64.b64encode(file).decode(), 70))
    return f"-----BEGIN OPENSSH PRIVATE KEY-----\n{lines}\n-----END OPENSSH PRIVATE KEY-----\n"


def _string(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value

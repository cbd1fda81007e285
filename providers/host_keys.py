"""The SSH host key of each VM, derived from the deployment's secret and the VM's name.

Nothing is stored: whoever holds the secret can tell the key of any VM, also after a crash in the middle of its
creation. The node gets the private part in its user data; the public part is pinned.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class HostKeys:
    def __init__(self, secret: bytes) -> None:
        """`secret`: at least 32 bytes that only this deployment has. Raises ValueError if they are fewer."""
        if len(secret) < 32:
            raise ValueError("the secret of host keys has at least 32 bytes")
        self._secret = secret

    def private(self, vm_name: str) -> str:
        """The VM's private host key in OpenSSH form."""
        return (
            self._key(vm_name)
            .private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
            )
            .decode()
        )

    def public(self, vm_name: str) -> str:
        """The VM's public host key in OpenSSH form, "type base64"."""
        key = self._key(vm_name).public_key()
        return key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()

    def _key(self, vm_name: str) -> Ed25519PrivateKey:
        seed = hmac.new(self._secret, b"ssh host key of " + vm_name.encode(), hashlib.sha256).digest()
        return Ed25519PrivateKey.from_private_bytes(seed)

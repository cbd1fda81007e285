"""The key pair by which the nodes of a pool log in to each other: made of the deployment's secret, so nothing of it is
kept."""

from __future__ import annotations

import hmac

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


class PoolKeys:
    def __init__(self, secret: bytes) -> None:
        """`secret`: of the deployment, for this purpose only; at least 32 bytes."""
        if len(secret) < 32:
            raise ValueError("a secret of at least 32 bytes")
        self._secret = secret

    def pair(self, pool_id: str) -> dict[str, str]:
        """{"private", "public"}, as OpenSSH writes them; the same for the same pool."""
        key = Ed25519PrivateKey.from_private_bytes(hmac.digest(self._secret, b"nodes of " + pool_id.encode(), "sha256"))
        private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        return {"private": private.decode(), "public": f"{public.decode()} ebbtide-{pool_id}"}

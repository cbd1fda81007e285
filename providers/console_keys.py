"""The SSH host key that a VM prints on its console at its first boot, as cloud-init does."""

from __future__ import annotations

import re

_BLOCK = re.compile(r"-----BEGIN SSH HOST KEY KEYS-----(.*?)-----END SSH HOST KEY KEYS-----", re.DOTALL)
_KEY = re.compile(r"\b(ssh-ed25519|ecdsa-sha2-nistp(?:256|384|521)|ssh-rsa) ([A-Za-z0-9+/]{40,}={0,2})")
_LIKED = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")


def console_host_key(console: str) -> str | None:
    """The best one of the last complete block, in OpenSSH form "type base64"; None if there is none yet.

    Only what stands between cloud-init's marks counts: tasks do not write on the console, but other programs do.
    """
    blocks = _BLOCK.findall(console)
    keys: dict[str, str] = dict(_KEY.findall(blocks[-1])) if blocks else {}
    return next((f"{kind} {keys[kind]}" for kind in _LIKED if kind in keys), None)

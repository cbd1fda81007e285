"""A host as tests see it."""

from __future__ import annotations


class Host:
    """`state`: preparing, prepared (it has no more than a network), up (SSH), booted (user data has run), off.

    `console`: what it has printed. `error`: why it could not be made.
    """

    def __init__(self, instance_id: str, ip: str, public_ip: str | None, key: str) -> None:
        self.id, self.ip, self.public_ip = instance_id, ip, public_ip
        self.state = "preparing"
        self.console = ""
        self.error: str | None = None
        self._first_key = key

    @property
    def host_key(self) -> str:
        """ "type base64": the last one on its console, which is the one that user data has left; until then its own."""
        keys = self.console.rpartition("-----BEGIN SSH HOST KEY KEYS-----")[2].split()
        return f"{keys[0]} {keys[1]}" if len(keys) > 1 and "-----END" in self.console else self._first_key

    def __repr__(self) -> str:
        return f"Host({self.id}, {self.ip}, {self.state})"

"""Where the server of a state is, for those on its machine: STATE/endpoint. It stays when the server has ended."""

from __future__ import annotations

import shlex
from pathlib import Path

import msgspec

from .api.accounts import Account
from .deployment_key import write_file


class Endpoint(msgspec.Struct, frozen=True):
    """`bundle`: the file of certificates that a client is to trust; None: those that it does anyway will do."""

    url: str
    bundle: str | None = None

    def lines(self, account: Account, *, secondary: bool = False) -> str:
        """What a client's shell is to be told, with the primary key or the other."""
        names = {
            "AZURE_BATCH_ACCOUNT": account.name,
            "AZURE_BATCH_ACCESS_KEY": account.keys[1 if secondary else 0],
            "AZURE_BATCH_ENDPOINT": self.url,
        }
        if self.bundle is not None:
            names["REQUESTS_CA_BUNDLE"] = self.bundle
        return "export " + " ".join(f"{name}={shlex.quote(value)}" for name, value in names.items())

    def keep(self, state: Path) -> None:
        """Raises OSError."""
        if endpoint_of(state) != self:  # a server starts again on a full disk
            write_file(state / "endpoint", msgspec.json.encode(self) + b"\n", 0o600)


def endpoint_of(state: Path) -> Endpoint | None:
    """None: no server has ever listened there, or nobody can tell."""
    try:
        return msgspec.json.decode((state / "endpoint").read_bytes(), type=Endpoint)
    except (OSError, msgspec.MsgspecError):
        return None

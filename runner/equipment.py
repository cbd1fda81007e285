"""What a start message gets only as it leaves for a node: secrets, and the address of the door.

Commands hold neither: they are values that are compared, simulated and logged.
"""

from __future__ import annotations

from typing import Any

from pools import Clock

from .commands import StartExecution
from .credentials import KEY_VARIABLE, TOKEN_VARIABLE, Credentials
from .door import through_door
from .files_of_tasks import TaskFiles
from .node_messages import Message, start_message
from .pool_keys import PoolKeys
from .secrets import Secrets
from .vault import Vault, VaultError

#: Seconds.
_SAVED_WITHIN = 3600.0


class Equipment:
    def __init__(
        self,
        credentials: Credentials,
        clock: Clock,
        lifetime: float,
        files: TaskFiles,
        vault: Vault,
        pool_keys: PoolKeys | None = None,
        secrets: Secrets | None = None,
    ) -> None:
        """`lifetime`: seconds that a token is good for. `vault`: opens the passwords of specifications. `pool_keys`:
        for nodes that reach each other; None: they cannot log in to each other. `secrets`: those that may be referred
        to; None: there are none."""
        self._secrets = secrets or Secrets()
        self._pool_keys = pool_keys
        self._vault = vault
        self._files = files
        self._credentials = credentials
        self._clock = clock
        self._lifetime = lifetime

    def message(self, command: StartExecution, door: str | None) -> dict[str, Any]:
        """As the node is told to start it. `door`: the address there, None: it has none. Raises NoDoor, VaultError,
        SecretError."""
        message = start_message(command)
        message["env"] = self._secrets.environment(message["env"])
        if command.container is not None:
            try:
                message["container"] = self.opened(command.container)
            except VaultError as exc:
                raise type(exc)(f"containerSettings.registry: {exc}") from None
        if door is None:
            message.pop("checkpoint", None)  # what needs the door and can do without
        message = self._files.finished(message, self._clock.now())
        if command.api_job is not None:
            expires = self._clock.now() + self._lifetime
            made = self._credentials
            message["env"] = {
                **message["env"],
                TOKEN_VARIABLE: made.issue(command.api_job, command.execution_id, expires),
                KEY_VARIABLE: made.shared_key(command.api_job, command.execution_id),
            }
        return through_door(message, door)

    def opened(self, message: Message) -> Message:
        """The same with its passwords. Raises VaultError, SecretError."""
        opened: Message = self._secrets.passwords(self._vault.opened(message))
        return opened

    def users(self, users: Message) -> Message:
        """What the node is told of users: with passwords, and with the key pair of a pool whose nodes reach each other.
        Raises VaultError."""
        opened, pool_id = self.opened(users), users.get("pool")
        if pool_id is None or self._pool_keys is None:
            return opened
        return {**opened, "keys": self._pool_keys.pair(pool_id)}

    def kill(self, message: dict[str, Any], door: str) -> dict[str, Any]:
        """A kill message as it leaves: its checkpoint may be saved for an hour."""
        saved = message.get("checkpoint")
        if saved is None:
            return message
        signed = self._files.checkpoint(saved, self._clock.now() + _SAVED_WITHIN)
        # the environment is no part of it
        return through_door({**message, "checkpoint": signed, "env": {}}, door)

"""Users of nodes over the Batch REST API: people who log in with `ssh`, as their node's agent makes them."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from weakref import WeakValueDictionary

from anyio import CapacityLimiter, to_thread

from pools import Node, NodeState, Pool, Spec, folded
from runner import LinkError, NodeUser, NodeUserError, NodeUsers

from ..ids import random_bytes
from . import bodies
from .application import Handler
from .backend import Backend
from .call import Answer, Call
from .errors import ApiError
from .pools import no_pool

#: Seconds for which a user is there if nothing is said.
_LIFETIME = 86400.0
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}", re.ASCII)
_PASSWORD = re.compile(r"[^\0-\x1f\x7f]{1,127}")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{40,16384}={0,2}", re.ASCII)
#: Kinds of keys that nodes take.
_KEYS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")
#: Requests that are at work on one node at a time.
_PER_NODE = 2
#: What nodes say, in the words of the API.
_CODES = {
    "exists": "NodeUserExists",
    "missing": "NodeUserNotFound",
    "taken": "InvalidPropertyValue",
    "impossible": "OperationNotSupported",
}


class ChangedUser(Spec, frozen=True, kw_only=True):
    password: str | None = None
    ssh_public_key: str | None = None
    expiry_time: datetime | None = None


class NewUser(Spec, frozen=True, kw_only=True):
    name: str
    is_admin: bool = False
    password: str | None = None
    ssh_public_key: str | None = None
    expiry_time: datetime | None = None


class NodeUserOperations:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._journal = backend.controller.journal
        #: by node; each is there for as long as somebody is asking
        self._limits: WeakValueDictionary[str, CapacityLimiter] = WeakValueDictionary()

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "compute_node.add_user": self._add,
            "compute_node.update_user": self._update,
            "compute_node.delete_user": self._delete,
        }

    async def _add(self, call: Call) -> Answer:
        body = bodies.read(call.body, NewUser)
        if _NAME.fullmatch(body.name) is None:
            text = f"{body.name!r} is no name of a user: up to 32 letters, digits, '_', '-' and '.', a letter first"
            raise _wrong("name", text)
        user = self._user(body.name, body, body.is_admin)
        pool, node = await self._backend.read(lambda: self._node(call))
        if any(account.name == body.name for account in pool.spec.user_accounts):
            text = f"userAccounts of pool {pool.id!r} names {body.name!r}; take another name"
            raise ApiError("NodeUserExists", text)
        salt = random_bytes(16)
        await self._carry_out(node, lambda users: users.add(user, salt))
        place = f"{call.base}{call.path}/{body.name}"
        return Answer(headers={"Location": place, "DataServiceId": place})

    async def _update(self, call: Call) -> Answer:
        user = self._user(call.ids["userName"], bodies.optional(call.body, ChangedUser), admin=False)
        _, node = await self._backend.read(lambda: self._node(call))
        salt = random_bytes(16)
        await self._carry_out(node, lambda users: users.update(user, salt))
        return Answer(headers={"DataServiceId": call.base + call.path})

    async def _delete(self, call: Call) -> Answer:
        name = call.ids["userName"]
        _, node = await self._backend.read(lambda: self._node(call))
        await self._carry_out(node, lambda users: users.remove(name))
        return Answer()

    def _user(self, name: str, body: NewUser | ChangedUser, admin: bool) -> NodeUser:
        """Raises ApiError."""
        now = self._backend.controller.now()
        expires = now + _LIFETIME
        if body.expiry_time is not None:
            moment = body.expiry_time
            expires = (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
        if expires <= now:
            raise _wrong("expiryTime", "that is over already; give a time that is to come, or leave it out for one day")
        if body.password is None and body.ssh_public_key is None:
            text = "a user needs a password or an sshPublicKey to log in with; what is left out here is taken away"
            raise ApiError("MissingRequiredProperty", text, (("PropertyName", "sshPublicKey"),))
        if body.password is not None and _PASSWORD.fullmatch(body.password) is None:
            raise _wrong("password", "a password has 1 to 127 characters, and no control characters such as line feeds")
        key = _key(body.ssh_public_key) if body.ssh_public_key is not None else None
        return NodeUser(name, expires, admin, body.password, key)

    async def _carry_out(self, node: Node, ask: Callable[[NodeUsers], None]) -> None:
        limit = self._limits.get(node.id)
        if limit is None:
            limit = self._limits[node.id] = CapacityLimiter(_PER_NODE)
        try:
            users = self._backend.controller.nodes.users(node.id)
            await to_thread.run_sync(ask, users, limiter=limit)
        except NodeUserError as error:
            code = _CODES.get(error.code)
            raise ApiError(code or "NodeNotReady", f"node {node.id!r}: {error}") from None
        except LinkError as error:
            raise ApiError("NodeNotReady", f"node {node.id!r} is {node.state}: {error}; try again later") from None

    def _node(self, call: Call) -> tuple[Pool, Node]:
        """Raises ApiError."""
        pool = self._journal.pool(call.ids["poolId"])
        if pool is None:
            raise no_pool(call.ids["poolId"])
        wanted = folded(call.ids["nodeId"])
        for node in self._journal.nodes_of(pool.id):
            if folded(node.id) == wanted:
                if node.state is NodeState.LEAVING_POOL:
                    raise ApiError("NodeNotReady", f"node {node.id!r} is leaving its pool")
                return pool, node
        raise ApiError("NodeNotFound", f"pool {pool.id!r} has no node {call.ids['nodeId']!r}")


def _wrong(name: str, text: str) -> ApiError:
    return ApiError("InvalidPropertyValue", f"{name}: {text}", (("PropertyName", name), ("Reason", text)))


def _key(text: str) -> str:
    """Of a public key, the type and the base64. Whether that is a key to the end is for the SSH server of the node to
    say, as it is with the service. Raises ApiError."""
    parts = text.strip().split(None, 2)
    fine = len(parts) >= 2 and len(text.strip().splitlines()) == 1 and parts[0] in _KEYS
    if not fine or _BASE64.fullmatch(parts[1]) is None or not parts[1].startswith(_beginning(parts[0])):
        types = ", ".join(_KEYS)
        raise _wrong("sshPublicKey", f"that is no public key in OpenSSH form, one line 'TYPE BASE64'; types: {types}")
    return f"{parts[0]} {parts[1]}"


def _beginning(kind: str) -> str:
    """Of the base64 of a key: the length of its type, and the type, as far as that fills whole groups."""
    data = len(kind).to_bytes(4, "big") + kind.encode()
    return base64.b64encode(data[: len(data) // 3 * 3]).decode()

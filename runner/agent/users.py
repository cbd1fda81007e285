"""The users of this node: finds out who executions can run as, and makes the accounts that are missing.

Only a machine that is a node and nothing else gets accounts; on one that others use too (a local node, a host of an
inventory) the pool's tasks run as the user whom its owner has lent, or, if the provider's settings want it, as one that
is a number only, which no other node of the machine has.
"""

from __future__ import annotations

import os
import pwd

from . import PRIVATE, accounts
from .identity import lease_block

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .wire import Message

POOL = "_azbatch"
LOGINS = "logins.json"  # the file of those who log in
MACHINE = "/etc/ebbtide-node"  # written by the script of the first boot: this machine is a node and nothing else
POOL_USER = "pool-user"  # the file that holds the node's own number for it, where it has one
_FOLDERS = ("", "/shared", "/startup", "/applications", "/workitems")
NOT_ROOT = (
    "the agent on this node runs as {user}, who is not root, and cannot become anybody else: log in as root "
    "(sshUser or the inventory's user: root), or as a user who may use sudo without a password on a machine that was "
    "made for ebbtide"
)
_CLOSED = (
    "other users cannot reach the node root {root}, because {folder} is closed to them: open it (chmod o+x {folder}), "
    "or {cure}"
)
_CURE = "set another nodeRoot in the settings of the provider"
_LOCAL_CURE = (
    "let the nodes lie in a folder that others may go through: that is baseDir in the settings of the provider "
    "(`providers: {local: {baseDir: /var/lib/ebbtide}}`), and the state directory without it"
)
_LENT = (
    "this machine is not a node alone, and gets no user accounts: use autoUser in userIdentity instead, or a pool of "
    "machines from a cloud"
)


def survey(root: str, wanted: Message, lifeline: int | None) -> Message:
    """For the supervisors: {"root": can they become others, "refusal": why not, "pool": the account of the pool's
    tasks or None for the agent's own user, "named": accounts by name}. An account is {"uid", "gid", "name", "home"},
    or {"refusal"}. "scope": of tasks that ask for none. `wanted`: {"accounts": [{"name", "admin", "uid",
    "gid", "password"}], "scope", "poolUser": the pool's tasks have one also where the machine is lent, "keys": see
    trust.py}, and for tests "separate": as if the machine was a node alone."""
    told = _survey(root, wanted, lifeline)
    if os.path.exists(f"{root}/{PRIVATE}/{LOGINS}"):
        from . import logins  # most nodes need none

        logins.resume(root, lifeline)
    if wanted.get("keys") and lifeline is None and os.path.exists(MACHINE):
        _trust(told["pool"], wanted["keys"])
    return told


def _trust(account: Message | None, keys: Message) -> None:
    """The user of the pool's tasks logs in to the other nodes of the pool, and is let in by them."""
    from . import trust  # most nodes need none

    if account is None:
        entry = pwd.getpwuid(os.getuid())
        trust.place(entry.pw_dir, entry.pw_uid, entry.pw_gid, keys)
    elif "refusal" not in account:
        trust.place(account["home"], account["uid"], account["gid"], keys)


def _survey(root: str, wanted: Message, lifeline: int | None) -> Message:
    listed = wanted.get("accounts") or []
    refusal = refusal_of(root, lifeline)
    told: Message = {"root": not os.getuid(), "scope": wanted.get("scope"), "refusal": refusal, "pool": None}
    alone = lifeline is None and os.path.exists(MACHINE)
    separate = told["root"] and (alone or wanted.get("separate"))
    closed = refusal if separate or not told["root"] else _LENT
    told["named"] = {account["name"]: {"refusal": closed} for account in listed}
    if not separate and not wanted.get("poolUser"):
        return told
    if refusal is not None:
        told["pool"] = {"name": POOL, "refusal": refusal}
        return told
    if separate:
        told["pool"] = pool = accounts.account(root, POOL, 0, alone)
        for number, account in enumerate(listed, 1):
            made = accounts.account(root, account["name"], number, alone, account)
            # the rights of root, and the home and name of its own
            told["named"][account["name"]] = {**made, "uid": 0, "gid": 0} if account.get("admin") else made
    else:
        told["pool"] = pool = accounts.numbered(root, POOL, pool_uid(f"{root}/{PRIVATE}"))
    os.chown(root + "/shared", pool["uid"], pool["gid"])
    return told


def refusal_of(root: str, lifeline: int | None) -> str | None:
    """Why nobody here can become another user. Where that can be done, the node's folders are open to others now."""
    if os.getuid():
        return NOT_ROOT.format(user=own_name())
    _open(root)
    closed = _closed_to_others(root)
    if closed is None:
        return None
    cure = _CURE if lifeline is None else _LOCAL_CURE
    return _CLOSED.format(root=root, folder=closed, cure=cure)


def pool_uid(private: str) -> int:
    """The node's number for the user of its pool's tasks: the same for as long as the node is there."""
    path = f"{private}/{POOL_USER}"
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read())
    except (FileNotFoundError, ValueError):
        uid = lease_block(private)
    fresh = f"{path}.new"
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as file:
        file.write(str(uid))
    os.rename(fresh, path)
    return uid


def own_name() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def _open(root: str) -> None:
    """Others may go through the node's folders; what they may read there is a matter of each."""
    for folder in _FOLDERS:
        mode = os.stat(root + folder).st_mode
        if mode & 0o055 != 0o055:
            os.chmod(root + folder, mode & 0o777 | 0o055)
    os.chmod(f"{root}/.ebbtide", 0o711)  # for the agent's file, which fetches and uploads as the task's user


def _closed_to_others(root: str) -> str | None:
    """The first folder on the way that others may not go through."""
    path = ""
    for part in root.split("/"):
        path = f"{path}/{part}" if part else path
        if path and not os.stat(path).st_mode & 0o001:
            return path
    return None

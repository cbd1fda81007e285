"""The users of this node: finds out who executions can run as, and makes the accounts that are missing.

Only a machine that is a node and nothing else gets accounts; on one that others use too (a local node, a host of an
inventory) the pool's tasks run as the user whom its owner has lent.
"""

from __future__ import annotations

import os
import pwd

from .identity import BASE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .wire import Message

POOL = "_azbatch"
MACHINE = "/etc/ebbtide-node"  # written by the script of the first boot: this machine is a node and nothing else
_NUMERIC = BASE - 1024  # from here on, for accounts that cannot be made
_FOLDERS = ("", "/shared", "/startup", "/applications", "/workitems")
_NOT_ROOT = (
    "the agent on this node runs as {user}, who is not root, and cannot become anybody else: log in as root "
    "(sshUser or the inventory's user: root), or as a user who may use sudo without a password on a machine that was "
    "made for ebbtide"
)
_CLOSED = (
    "other users cannot reach the node root {root}, because {folder} is closed to them: open it (chmod o+x {folder}), "
    "or set another nodeRoot (of local nodes: baseDir)"
)
_LENT = (
    "this machine is not a node alone, and gets no user accounts: use autoUser in userIdentity instead, or a pool of "
    "machines from a cloud"
)


def survey(root: str, wanted: Message, lifeline: int | None) -> Message:
    """For the supervisors: {"root": can they become others, "refusal": why not, "pool": the account of the pool's
    tasks or None for the agent's own user, "named": accounts by name}. An account is {"uid", "gid", "name", "home"},
    or {"refusal"}. "scope": of tasks that ask for none. `wanted`: {"accounts": [{"name", "admin", "uid",
    "gid", "password"}], "scope", "keys": see trust.py}, and for tests "separate": as if the machine was a node
    alone."""
    told = _survey(root, wanted, lifeline)
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
    accounts = wanted.get("accounts") or []
    told: Message = {"root": not os.getuid(), "scope": wanted.get("scope"), "refusal": None, "pool": None, "named": {}}
    if not told["root"]:
        told["refusal"] = _NOT_ROOT.format(user=_own_name())
        told["named"] = {account["name"]: {"refusal": told["refusal"]} for account in accounts}
        return told
    _open(root)
    closed = _closed_to_others(root)
    if closed is not None:
        told["refusal"] = _CLOSED.format(root=root, folder=closed)
    alone = lifeline is None and os.path.exists(MACHINE)
    if not alone and not wanted.get("separate"):
        told["named"] = {account["name"]: {"refusal": _LENT} for account in accounts}
    elif closed is not None:
        told["pool"] = {"name": POOL, "refusal": told["refusal"]}
        told["named"] = {account["name"]: {"refusal": told["refusal"]} for account in accounts}
    else:
        told["pool"] = pool = _account(root, POOL, 0, alone)
        os.chown(root + "/shared", pool["uid"], pool["gid"])
        for number, account in enumerate(accounts, 1):
            made = _account(root, account["name"], number, alone, account)
            # the rights of root, and the home and name of its own
            told["named"][account["name"]] = {**made, "uid": 0, "gid": 0} if account.get("admin") else made
    return told


def _own_name() -> str:
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


def _account(root: str, name: str, number: int, make: bool, wanted: Message | None = None) -> Message:
    """`number`: for its user id, if it cannot be made. `wanted`: "uid", "gid", "password", each may be None."""
    wanted = wanted or {}
    if name == "root":
        return {"name": name, "refusal": "a user account may not be called root"}
    uid, gid = wanted.get("uid") or _NUMERIC + number, wanted.get("gid") or _NUMERIC + number
    home = f"{root}/home/{name}"
    entry = _entry(name)
    if entry is None and make:
        _make(name, home, wanted)
        entry = _entry(name)
    if entry is not None:
        if not entry.pw_uid:
            return {"name": name, "refusal": f"the user {name!r} of the node is root under another name"}
        if wanted.get("uid") not in (None, entry.pw_uid):
            text = f"the node has a user {name!r} with the uid {entry.pw_uid}, not {wanted['uid']}"
            return {"name": name, "refusal": text}
        uid, gid, home = entry.pw_uid, entry.pw_gid, entry.pw_dir
        if make and wanted.get("password"):
            _set_password(name, wanted["password"])
    os.makedirs(os.path.dirname(home), 0o755, exist_ok=True)
    try:
        os.mkdir(home, 0o700)
        os.chown(home, uid, gid)
    except FileExistsError:
        pass
    return {"name": name, "uid": uid, "gid": gid, "home": home}


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _make(name: str, home: str, wanted: Message) -> None:
    """An account without a password, if the machine has a tool for it: numbers do, but some programs want a name."""
    import subprocess

    numbers: list[str] = []
    if wanted.get("uid"):
        numbers = ["--uid", str(wanted["uid"]), "--gid", str(wanted["gid"])]
        _make_group(name, wanted["gid"])
    for tool in (
        # not "!", as it is without: sshd may take that for a locked account
        ["useradd", *numbers, "-p", "*", "--no-create-home", "--home-dir", home, "--shell", "/bin/sh", "--", name],
        ["adduser", *_of_busybox(numbers), "-D", "-H", "-h", home, "-s", "/bin/sh", name],
    ):
        try:
            done = subprocess.run(tool, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        except OSError:  # it is not there
            continue
        if not done.returncode:
            return


def _of_busybox(numbers: list[str]) -> list[str]:
    """Its adduser takes the name of a group."""
    import grp

    if not numbers:
        return []
    try:
        return ["-u", numbers[1], "-G", grp.getgrgid(int(numbers[3])).gr_name]
    except KeyError:  # nothing could make it
        return ["-u", numbers[1]]


def _make_group(name: str, gid: int) -> None:
    """One of that number, if there is none."""
    import grp
    import subprocess

    try:
        grp.getgrgid(gid)
    except KeyError:
        for tool in (["groupadd", "--gid", str(gid), "--", name], ["addgroup", "-g", str(gid), name]):
            try:
                done = subprocess.run(tool, stdin=subprocess.DEVNULL, capture_output=True, check=False)
            except OSError:  # it is not there
                continue
            if not done.returncode:
                return


def _set_password(name: str, password: str) -> None:
    """By the standard input of a tool: command lines can be read by everybody."""
    import subprocess

    try:
        subprocess.run(["chpasswd"], input=f"{name}:{password}\n".encode(), capture_output=True, check=False)
    except OSError:
        pass  # nobody logs in by it then; tasks need none

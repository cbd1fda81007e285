"""Accounts of a node's machine: those that are there, those that can be made, and those that are a number only."""

from __future__ import annotations

import os
import pwd

from .identity import BASE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .wire import Message

NUMERIC = BASE - 1024  # user ids from here on, for accounts that cannot be made
DENIED = ("/etc/cron.deny", "/etc/at.deny")  # who may not use cron and at
MANAGER = "/etc/systemd/system/user@{}.service"  # the systemd of a user: one that leads nowhere is never started


def account(root: str, name: str, number: int, make: bool, wanted: Message | None = None) -> Message:
    """{"name", "uid", "gid", "home"}, or {"name", "refusal"}. `number`: for its user id, if it cannot be made (`make`:
    this machine may get accounts). `wanted`: "uid", "gid", "password", each may be None."""
    wanted = wanted or {}
    if name == "root":
        return {"name": name, "refusal": "a user account may not be called root"}
    uid, gid = wanted.get("uid") or NUMERIC + number, wanted.get("gid") or NUMERIC + number
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
        if make:
            _stay_in_tasks(name, uid)
    return _at_home(name, uid, gid, home)


def numbered(root: str, name: str, uid: int) -> Message:
    """One that is a number only, and of one node only."""
    return _at_home(name, uid, uid, f"{root}/home/{name}")


def _at_home(name: str, uid: int, gid: int, home: str) -> Message:
    os.makedirs(os.path.dirname(home), 0o755, exist_ok=True)
    try:
        os.mkdir(home, 0o700)
        os.chown(home, uid, gid)
    except FileExistsError:
        pass
    return {"name": name, "uid": uid, "gid": gid, "home": home}


def _stay_in_tasks(name: str, uid: int) -> None:
    """Nothing of a task runs on when it is over: its user may ask neither cron nor at nor systemd to run anything."""
    for path in DENIED:
        try:
            with open(path, "a+", encoding="utf-8") as file:
                file.seek(0)
                told = file.read()
                if name not in told.splitlines():
                    file.write(f"{name}\n" if not told or told.endswith("\n") else f"\n{name}\n")
        except OSError:  # noqa: PERF203 - of a system that can only be read: such has no use for them
            pass
    try:
        os.symlink(os.devnull, MANAGER.format(uid))
    except OSError:
        pass  # it is there, or there is no systemd


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

"""Real accounts for node users: with the tools of the machine, which must be a node alone, and as root.

Passwords go by standard input, never by command lines. What belongs to an account and to nothing else (its rights, its
key, its home) goes with it.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import time

from . import trust
from .identity import end_all_of
from .logins import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .wire import Message

GROUP = "ebbtide-password"  # of those who may log in by password
SUDOERS = "/etc/sudoers.d"
SSHD = "/etc/ssh/sshd_config"
_MATCH = f"Match Group {GROUP}\n    PasswordAuthentication yes\n"
_MARK = "# ebbtide: node users with a password\n"
_DAY = 86400
_TRIES = 20  # a process that was killed takes a moment to be gone


def make(name: str, entry: Message, request: Message) -> Message:
    """Raises Refused, OSError."""
    if entry["admin"] and not os.path.isdir(SUDOERS):
        raise Refused("impossible", f"this machine has no sudo ({SUDOERS}), so that nobody can be an administrator")
    shell = next((each for each in ("/bin/bash", "/bin/ash") if os.path.exists(each)), "/bin/sh")
    home = f"/home/{name}"
    told = _first_there(
        # not "!", as it is without: sshd may take that for a locked account
        ["useradd", "-p", "*", "--create-home", "--home-dir", home, "--shell", shell, "--", name],
        ["adduser", "-D", "-h", home, "-s", shell, name],
    )
    try:
        account = pwd.getpwnam(name)
    except KeyError:
        raise Refused("taken", f"the machine takes no user {name!r}: {told}") from None
    if not account.pw_uid:
        raise Refused("failed", f"the machine has made {name!r} another name of root")
    if entry["admin"]:
        path = f"{SUDOERS}/{_rights_file(account.pw_uid)}"
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o440), "w") as file:
            file.write(f"#{account.pw_uid} ALL=(ALL:ALL) NOPASSWD: ALL\n")  # by number: a name may mean more there
    change(name, entry, request)
    return {"uid": account.pw_uid}


def change(name: str, entry: Message, request: Message) -> Message:
    """Its key and password are those of the request and no others. Raises Refused, OSError."""
    account = pwd.getpwnam(name)
    key, password = request.get("key"), request.get("password")
    os.makedirs(account.pw_dir, 0o700, exist_ok=True)
    trust.let_in(account.pw_dir, account.pw_uid, account.pw_gid, key)
    _first_of(["restorecon", "-R", f"{account.pw_dir}/.ssh"])  # where SELinux wants a label
    if password is None:
        # "*": none fits; it locks nobody out who has a key
        _must(f"{name}:*\n", ["chpasswd", "-e"])
    else:
        _let_passwords_in(name)
        _must(f"{name}:{password}\n", ["chpasswd"], ["chpasswd", "-c", "SHA512"])  # with PAM, or where it has none
    # days are as exact as this is: it counts only if nobody is there to remove the user in time
    _first_of(["usermod", "--expiredate", str(int(entry["expires"] // _DAY) + 2), name])
    return {}


def end(name: str) -> None:
    """With its processes and its home. Raises Refused if the machine keeps it."""
    told = ""
    for _ in range(_TRIES):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            return
        if not account.pw_uid:
            return  # never made by us
        try:
            os.unlink(f"{SUDOERS}/{_rights_file(account.pw_uid)}")
        except (FileNotFoundError, NotADirectoryError):
            pass
        end_all_of(account.pw_uid)
        told = _first_of(["userdel", "--remove", "--", name], ["deluser", "--remove-home", name], ["deluser", name])
        end_all_of(account.pw_uid)  # who has logged in meanwhile
        time.sleep(0.05)
    raise Refused("failed", f"the user {name!r} could not be removed: {told}")


def _rights_file(uid: int) -> str:
    return f"ebbtide-node-user-{uid}"


def _let_passwords_in(name: str) -> None:
    """Images of clouds take keys only: passwords of node users are taken too, and nobody else's. Raises Refused."""
    if not _takes_password(name):
        _first_of(["groupadd", "--force", "--system", GROUP], ["addgroup", "-S", GROUP])
    _first_of(["usermod", "--append", "--groups", GROUP, name], ["addgroup", name, GROUP])
    if _takes_password(name):
        return
    before = _read(SSHD)
    if _MARK not in before:
        end_of_line = "" if not before or before.endswith("\n") else "\n"
        _write(SSHD, f"{before}{end_of_line}{_MARK}{_MATCH}")
    if not _takes_password(name):
        _write(SSHD, before)
        raise Refused("impossible", "the SSH server of this machine takes no passwords; give an sshPublicKey")
    for command in (["systemctl", "reload", "ssh"], ["systemctl", "reload", "sshd"], _hang_up()):
        if command and _done(command)[0]:
            return


def _hang_up() -> list[str]:
    """What has a running sshd read its configuration again, where no systemd minds it."""
    for path in ("/run/sshd.pid", "/var/run/sshd.pid"):
        pid = _read(path).strip()
        if pid.isdigit() and _read(f"/proc/{pid}/comm").strip() == "sshd":
            return ["kill", "-HUP", pid]
    return []


def _takes_password(name: str) -> bool:
    """As sshd itself understands its configuration."""
    sshd = next((path for path in ("/usr/sbin/sshd", "/usr/local/sbin/sshd", "/sbin/sshd") if os.path.exists(path)), "")
    if not sshd:
        return False
    fine, told = _done([sshd, "-T", "-C", f"user={name},host=localhost,addr=127.0.0.1"])
    return fine and "passwordauthentication yes" in told.splitlines()


def _first_there(*tools: list[str]) -> str:
    """Runs the first that is there, and no other; what it said if it failed."""
    for tool in tools:
        try:
            fine, told = _done(tool)
        except FileNotFoundError:
            continue
        return "" if fine else told.strip()
    return "it has no tool for that"


def _first_of(*tools: list[str]) -> str:
    """Runs the first that is there and does it; else what the last one said."""
    told = "it has no tool for that"
    for tool in tools:
        try:
            fine, told = _done(tool)
        except FileNotFoundError:
            continue
        if fine:
            return ""
    return told.strip()


def _must(given: str, *tools: list[str]) -> None:
    """Raises Refused; what was given is told to nobody."""
    try:
        fine = any(_done(tool, given)[0] for tool in tools)
    except FileNotFoundError:
        fine = False
    if not fine:
        raise Refused("failed", f"the machine does not take the password: {tools[0][0]} failed")


def _done(command: list[str], given: str = "") -> tuple[bool, str]:
    """Has it succeeded, and what it said."""
    try:
        done = subprocess.run(command, input=given.encode(), capture_output=True, timeout=60.0, check=False)
    except subprocess.TimeoutExpired:
        return False, "it did not end"
    except PermissionError as error:
        return False, str(error)
    return not done.returncode, (done.stdout + done.stderr).decode(errors="replace")


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return ""


def _write(path: str, text: str) -> None:
    fresh = path + ".ebbtide"
    mode = os.stat(path).st_mode & 0o777 if os.path.exists(path) else 0o644
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    with open(fd, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
    os.rename(fresh, path)

"""The disk of a host: this machine's own, read only, under a layer in memory that makes a fresh cloud image of it."""

from __future__ import annotations

import os
from pathlib import Path

from . import kernel

#: Emptied, so that a host sees nothing of the users of this machine, and finds nothing of theirs in its way.
_EMPTY = {
    "/tmp": 0o1777, "/var/tmp": 0o1777, "/root": 0o700, "/home": 0o755, "/run": 0o755, "/mnt": 0o755, "/media": 0o755,
    "/srv": 0o755, "/etc/ssh": 0o755, "/var/log": 0o755, "/var/lib/cloud": 0o755,
}  # fmt: skip
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2", "ptmx": "pts/ptmx"}
#: Read only as they show the real machine, and one that could restart it.
_READ_ONLY = ("/proc/sys", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/acpi")
_MASKED = ("/proc/sysrq-trigger", "/proc/kcore", "/proc/kmsg", "/proc/keys", "/proc/timer_list")
_SSHD = """\
Port 22
HostKey /etc/ssh/ssh_host_ed25519_key
PidFile /run/sshd.pid
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
PrintMotd no
Subsystem sftp internal-sftp
"""
#: What ends the host: its first process, which stands in for the whole machine, is told.
_POWER = {
    "poweroff": "USR2", "halt": "USR2", "reboot": "INT",
    "shutdown": 'USR2\n[ "$1" != -r ] || signal=INT\n[ "$1" != -c ] || exit 0',
}  # fmt: skip


def enter(stage: str, console: str, name: str, user: str) -> None:
    """Make it in `stage`, an empty directory, and have it as this process's root. In a mount namespace of its own."""
    kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("rig", stage, "tmpfs", kernel.MS_NOSUID, "mode=755")
    upper, work, root = (f"{stage}/{part}" for part in ("upper", "work", "root"))
    for directory in (upper, work, root):
        os.mkdir(directory, 0o755)
    _fill(Path(upper), name, user)
    kernel.mount("rig", root, "overlay", 0, f"lowerdir=/,upperdir={upper},workdir={work}")
    _devices(root, console)
    os.chdir(root)
    os.makedirs("mnt/.old", exist_ok=True)
    kernel.mount("proc", f"{root}/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    kernel.pivot_root(".", "mnt/.old")
    os.chdir("/")
    kernel.detach("/mnt/.old")
    os.rmdir("/mnt/.old")
    for path in filter(os.path.exists, _READ_ONLY):
        kernel.mount(path, path, None, kernel.MS_BIND | kernel.MS_REC)
        kernel.mount("none", path, None, kernel.MS_BIND | kernel.MS_REMOUNT | kernel.MS_RDONLY)
    for path in filter(os.path.exists, _MASKED):
        kernel.mount("/dev/null", path, None, kernel.MS_BIND)


def let_in(user: str, home: str, public_key: str) -> None:
    """The key pair's key, as cloud-init writes it."""
    entry = next((line for line in Path("/etc/passwd").read_text().splitlines() if line.startswith(f"{user}:")), None)
    if entry is None:
        return
    number, group = (int(part) for part in entry.split(":")[2:4])
    os.makedirs(f"{home}/.ssh", 0o700, exist_ok=True)
    keys = f"{home}/.ssh/authorized_keys"
    with open(keys, "w") as file:
        file.write(public_key.strip() + "\n")
    os.chmod(keys, 0o600)
    for path in (home, f"{home}/.ssh", keys):
        os.chown(path, number, group)


def _fill(upper: Path, name: str, user: str) -> None:
    os.umask(0o022)
    for path, mode in _EMPTY.items():
        directory = upper / path[1:]
        directory.mkdir(parents=True)
        directory.chmod(mode)
        os.setxattr(directory, "trusted.overlay.opaque", b"y")
    (upper / "run/sshd").mkdir()
    (upper / "run/lock").mkdir(mode=0o1777)
    (upper / f"home/{user}").mkdir()
    (upper / "var/lib/cloud/instance").mkdir()
    etc = upper / "etc"
    (etc / "ssh/sshd_config").write_text(_SSHD)
    (etc / "hostname").write_text(f"{name}\n")
    (etc / "hosts").write_text(f"127.0.0.1 localhost {name}\n::1 localhost\n169.254.169.254 instance-data\n")
    shell = "/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh"
    _add(upper, "etc/passwd", user, f"{user}:x:{{free}}:{{free}}::/home/{user}:{shell}", 0o644)
    _add(upper, "etc/group", user, f"{user}:x:{{free}}:", 0o644)
    _add(upper, "etc/shadow", user, f"{user}:*:19000:0:99999:7:::", 0o640)
    shadow = etc / "shadow"  # sshd lets nobody in whose password is locked by "!"
    shadow.write_text("".join(_unlocked(line) + "\n" for line in shadow.read_text().splitlines()))
    sbin = upper / ("usr/sbin" if os.path.islink("/sbin") else "sbin")
    sbin.mkdir(parents=True)
    for program, signal in _POWER.items():
        (sbin / program).write_text(f"#!/bin/sh\nsignal={signal}\nkill -s $signal 1\n")
        (sbin / program).chmod(0o755)


def _unlocked(line: str) -> str:
    name, password, rest = [*line.split(":", 2), "", ""][:3]
    return f"{name}:*:{rest}" if name == "root" and password.startswith("!") else line


def _add(upper: Path, path: str, name: str, line: str, mode: int) -> None:
    """A line for a user that this machine may not have. `{free}` in it: an unused number."""
    lines = (Path("/") / path).read_text().splitlines()
    if not any(known.startswith(f"{name}:") for known in lines):
        taken = {int(part) for known in lines for part in known.split(":")[2:4] if part.isdigit()}
        lines.append(line.replace("{free}", str(next(n for n in range(1500, 60000) if n not in taken))))
    (upper / path).write_text("\n".join(lines) + "\n")
    (upper / path).chmod(mode)


def _devices(root: str, console: str) -> None:
    dev = f"{root}/dev"
    kernel.mount("dev", dev, "tmpfs", kernel.MS_NOSUID, "mode=755")
    for source, device in [(f"/dev/{device}", device) for device in _DEVICES] + [(console, "console")]:
        with open(f"{dev}/{device}", "w"):
            pass
        kernel.mount(source, f"{dev}/{device}", None, kernel.MS_BIND)
    os.mkdir(f"{dev}/pts")
    options = "newinstance,ptmxmode=0666,mode=620,gid=5"
    kernel.mount("devpts", f"{dev}/pts", "devpts", kernel.MS_NOSUID | kernel.MS_NOEXEC, options)
    os.mkdir(f"{dev}/shm")
    os.chmod(f"{dev}/shm", 0o1777)
    for link, target in _LINKS.items():
        os.symlink(target, f"{dev}/{link}")

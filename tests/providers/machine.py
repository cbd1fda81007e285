"""A small machine for the script of the first boot: mount and process namespaces around this machine's own programs.

`/usr` is this machine's, read-only; all that the script changes is its own. It shares the network, so that its sshd
can be reached on loopback, and it cannot power off what is around it.
"""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from providers import Vm, VmState

from .waiting import wait_until

PROGRAMS = ("unshare", "nsenter", "setpriv", "chroot", "sshd", "ssh-keygen", "busybox")
SHELLS = {"dash": "dash", "bash": "bash", "busybox": "busybox sh"}
_PATH = "/fakes:/usr/bin:/bin:/usr/sbin:/sbin"
#: Ends with its stdin. The signal is what busybox's poweroff, which its shell takes before any other, sends to init.
_INIT = """\
trap 'echo "poweroff " >> /powered' USR2
exec 3<&0
cat <&3 &
while kill -0 $! 2>/dev/null; do wait; done
"""
_PASSWD = "root:x:0:0:root:/root:/bin/sh\nsshd:x:101:65534::/run/sshd:/usr/sbin/nologin\n"


def unavailable() -> str | None:
    """Why there can be no such machine here."""
    if os.geteuid() != 0:
        return "needs root, for namespaces and users"
    missing = [name for name in PROGRAMS if _where(name) is None]
    if missing:
        return f"needs {', '.join(missing)}"
    tried = subprocess.run(["unshare", "-m", "-p", "-f", "true"], capture_output=True, check=False)
    return "namespaces are not allowed here" if tried.returncode else None


def _where(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


class Machine:
    """`path`: its root folder, seen from outside. `shell`: its `sh`."""

    def __init__(self, path: Path, shell: str) -> None:
        self.path = path
        self.shell = shell
        for name in ("etc/ssh", "run/sshd", "var/lib", "tmp", "home", "root", "mnt", "proc", "dev", "fakes", "usr"):
            (path / name).mkdir(parents=True)
        (path / "local").mkdir()
        for name in ("null", "zero", "random", "urandom"):
            (path / "dev" / name).touch()
        self.write("etc/passwd", _PASSWD)
        self.write("etc/group", "root:x:0:\nnogroup:x:65534:\n")
        self.write("etc/shadow", "root:*:19000::::::\n", 0o600)
        (path / "fakes/sh").symlink_to(_where("busybox" if shell == "busybox" else shell) or "")
        self.write("init", _INIT)
        self.fake("poweroff", 'echo "poweroff $*" >> /powered')
        self.fake("shutdown", 'echo "shutdown $*" >> /powered')
        self.fake("reboot", 'echo "reboot $*" >> /powered')
        mounts = [f"mount --rbind /usr {path}/usr", f"mount --bind {path}/local {path}/usr/local"]
        for name in ("bin", "sbin", "lib", "lib64"):
            there = Path("/", name)
            if there.is_symlink():
                (path / name).symlink_to(os.readlink(there))
            elif there.exists():
                (path / name).mkdir()
                mounts.append(f"mount --bind {there} {path / name}")
        mounts += [f"mount --bind /dev/{name} {path}/dev/{name}" for name in ("null", "zero", "random", "urandom")]
        mounts += [f"mount -t proc proc {path}/proc", f"exec chroot {path} /bin/sh /init"]
        script = "set -e; mount --make-rprivate /; " + "; ".join(mounts)
        unshare = ["unshare", "-m", "-p", "-f", "--kill-child", "setpriv", "--bounding-set", "-sys_boot"]
        self._init = subprocess.Popen(
            [*unshare, "sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._init.stdin is not None and self._init.stdout is not None
        self._init.stdin.write("up\n")
        self._init.stdin.flush()
        assert self._init.stdout.readline() == "up\n", "its init did not start"
        children = Path(f"/proc/{self._init.pid}/task/{self._init.pid}/children")
        (self._pid,) = children.read_text().split()
        assert Path(f"/proc/{self._pid}/root").readlink() == path, "what runs in there would run out here"

    def write(self, name: str, text: str, mode: int = 0o644) -> None:
        (self.path / name).write_text(text)
        (self.path / name).chmod(mode)

    def fake(self, name: str, script: str) -> None:
        self.write(f"fakes/{name}", f"#!/bin/sh\n{script}\n", 0o755)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs in there, to its end; what it leaves running goes on."""
        inside = ["nsenter", "-t", self._pid, "-m", "-p", "-r", "-w", "setpriv", "--bounding-set", "-sys_boot"]
        environment = ["env", "-i", f"PATH={_PATH}", "HOME=/root"]
        return subprocess.run(
            [*inside, *environment, *command], capture_output=True, text=True, check=False, timeout=60, cwd="/"
        )

    def boot(self, script: str) -> subprocess.CompletedProcess[str]:
        """Runs a script as a cloud image would at its first boot."""
        self.write("user-data", script, 0o700)
        return self.run("sh", "/user-data")

    def serve_ssh(self, port: int, more: str = "") -> None:
        """Starts sshd, with host keys of its own and no PAM. `more`: lines of its configuration."""
        for kind in ("ed25519", "ecdsa"):
            made = self.run("ssh-keygen", "-q", "-t", kind, "-N", "", "-f", f"/etc/ssh/ssh_host_{kind}_key")
            assert made.returncode == 0, made
        self.write(
            "etc/ssh/sshd_config",
            f"ListenAddress 127.0.0.1\nPort {port}\nUsePAM no\nUseDNS no\nPermitRootLogin prohibit-password\n"
            f"PasswordAuthentication no\nKbdInteractiveAuthentication no\n{more}",
        )
        begun = self.run(_where("sshd") or "", "-E", "/var/sshd.log")
        assert begun.returncode == 0, begun
        wait_until(lambda: (self.path / "run/sshd.pid").exists() and _listens(port))

    @property
    def powered_off(self) -> list[str]:
        """What was called to that end."""
        log = self.path / "powered"
        return log.read_text().splitlines() if log.exists() else []

    def end(self) -> None:
        assert self._init.stdin is not None and self._init.stdout is not None
        self._init.stdin.close()  # its init ends, and all that is in there with it
        self._init.wait(60)
        self._init.stdout.close()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port: int = reserved.getsockname()[1]
    return port


def as_vm(port: int, user: str, host_key: str) -> Vm:
    return Vm("vm", "vm", VmState.RUNNING, "127.0.0.1", port, user, host_key, False, "/mnt/batch/tasks", None)


@pytest.fixture(params=SHELLS)
def machine(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Machine]:
    reason = unavailable()
    if reason is not None:
        pytest.skip(reason)
    machine = Machine(tmp_path / "machine", request.param)
    yield machine
    machine.end()

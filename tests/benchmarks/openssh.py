"""An OpenSSH server of our own on loopback, for a user whose login shell is /bin/sh, and a ControlMaster."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HINT = "install it, on Debian and Ubuntu by: apt-get install openssh-server openssh-client"
#: A system account (and our process id) that exists while the benchmark runs as root. Root's own shell may
#: have start-up files, and bash under sshd reads them for every command: measured, 75 ms instead of 4.
USER = "ebbtide-bench-"
_PLAIN_SHELLS = ("sh", "dash", "ash", "busybox")
_PATIENCE = 60.0
#: Seconds that a client or server may take to end.
_GRACE = 5.0


class Missing(Exception):
    """A part of the system is missing; the message says which, and the cure."""


@dataclass(frozen=True)
class Server:
    """`remark`: what makes its figures worse than those of others, or ""."""

    user: str
    port: int
    key: Path
    host_key: str
    control: Path
    remark: str

    def ssh(self, *command: str) -> list[str]:
        """An OpenSSH client that runs the command over the ControlMaster."""
        where = ["-S", str(self.control), "-p", str(self.port), f"{self.user}@127.0.0.1"]
        return ["ssh", "-F", "none", *where, *command]


class OpenSsh:
    """Use as a context manager. Raises Missing."""

    def __init__(self) -> None:
        self._sshd = _program("sshd")
        for name in ("ssh", "ssh-keygen", "xargs"):
            _program(name)
        self._processes: list[subprocess.Popen[bytes]] = []
        self._own_user = f"{USER}{os.getpid()}"
        self._made_user = False

    def __enter__(self) -> Server:
        # Not below the benchmark's own folder: the path of a socket may have 107 bytes only.
        self._folder = Path(tempfile.mkdtemp(prefix="ebbtide-bench-"))
        try:
            return self._start()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._processes):
            process.terminate()
            try:
                process.wait(_GRACE)
            except subprocess.TimeoutExpired:  # seen of an ssh client that was waiting just then
                process.kill()
                process.wait()
        if self._made_user:
            _quietly("userdel", self._own_user)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> Server:
        folder = self._folder
        folder.chmod(0o755)
        for name in ("host", "user"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)]
            subprocess.run(command, check=True, capture_output=True)
        user, remark = self._user()
        with socket.create_server(("127.0.0.1", 0)) as reserved:
            port = reserved.getsockname()[1]
        self._configure(port, user)
        log = folder / "sshd.log"
        self._run([self._sshd, "-D", "-f", str(folder / "sshd_config"), "-E", str(log)])
        _await(lambda: _listens(port), self._processes[-1], log)
        public = (folder / "host.pub").read_text().split()
        server = Server(user, port, folder / "user", " ".join(public[:2]), folder / "control", remark)
        known = folder / "known_hosts"
        known.write_text(f"[127.0.0.1]:{port} {server.host_key}\n")
        options = ["-M", "-N", "-i", str(server.key), "-o", f"UserKnownHostsFile={known}"]
        options += ["-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-E", str(log)]
        master = server.ssh()
        self._run([master[0], *master[1:-1], *options, master[-1]])
        _await(server.control.exists, self._processes[-1], log)
        # All its processes are there once it has run a command.
        if not _quietly(*server.ssh("true")):
            raise Missing(f"no command can be run over OpenSSH: {_last(log)}")
        return server

    def _configure(self, port: int, user: str) -> None:
        folder = self._folder
        (folder / "sshd_config").write_text(
            f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder / 'host'}\nPidFile none\n"
            f"AuthorizedKeysFile {folder / 'user.pub'}\nStrictModes no\nAllowUsers {user}\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nUseDNS no\n"
            "PermitUserRC no\nPrintMotd no\nPrintLastLog no\nX11Forwarding no\n"
            "LogLevel ERROR\nMaxSessions 100\n"
        )

    def _user(self) -> tuple[str, str]:
        me = pwd.getpwuid(os.getuid())
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd's own demand, see sshd(8)
            if self._make_user():
                return self._own_user, ""
        shell = me.pw_shell or "/bin/sh"
        if os.path.basename(shell) in _PLAIN_SHELLS:
            return me.pw_name, ""
        return me.pw_name, f"the login shell is {shell}, not /bin/sh: this row is slower than it need be"

    def _make_user(self) -> bool:
        if not shutil.which("useradd"):
            return False
        for entry in pwd.getpwall():  # of runs that were killed
            if entry.pw_name.startswith(USER) and not Path(f"/proc/{entry.pw_name[len(USER) :]}").exists():
                _quietly("userdel", entry.pw_name)
        # A home that exists, and no password: an account that is locked may not log in by key either.
        home = ["--system", "--no-create-home", "--home-dir", "/", "--shell", "/bin/sh", "--password", "*"]
        self._made_user = _quietly("useradd", *home, self._own_user)
        return self._made_user

    def _run(self, command: list[str]) -> None:
        null = subprocess.DEVNULL
        self._processes.append(subprocess.Popen(command, stdin=null, stdout=null, start_new_session=True))


def _quietly(*command: str) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def _program(name: str) -> str:
    path = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if path is None:
        package = "findutils" if name == "xargs" else "OpenSSH"
        raise Missing(f"there is no {name} ({package}) here; {HINT}")
    return path


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _last(log: Path) -> str:
    said = log.read_text().splitlines() if log.exists() else []
    return said[-1] if said else "it said nothing"


def _await(condition: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while not condition():
        if process.poll() is not None or time.monotonic() > end:
            raise Missing(f"OpenSSH did not start: {_last(log)}")
        time.sleep(0.01)

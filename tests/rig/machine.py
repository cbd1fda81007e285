"""The first process of a host: makes it, boots it, and stands in for its firmware, init and cloud-init."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import image, kernel

#: How a host ended, as its first process's exit code says it.
POWERED_OFF = 42
METADATA = "169.254.169.254"
_BOOT = "/var/lib/cloud/instance"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_HOST_KEY = "/etc/ssh/ssh_host_ed25519_key"
_SIGNALS = (signal.SIGCHLD, signal.SIGUSR2, signal.SIGINT, signal.SIGTERM)


class Machine:
    """`spec`: see `Hosts.prepare`. `orders`: "cable" and "boot", a line each. `tell`: messages to the rig."""

    def __init__(self, spec: Mapping[str, Any], orders: int, tell: socket.socket) -> None:
        self._spec, self._orders, self._tell = spec, orders, tell
        self._user_data: subprocess.Popen[bytes] | None = None
        self._asked: set[int] = set()

    def run(self) -> None:
        """Never returns. Called in a PID namespace of its own."""
        try:
            kernel.die_with_parent(signal.SIGKILL)
            kernel.unshare(kernel.CLONE_NEWNS | kernel.CLONE_NEWNET | kernel.CLONE_NEWUTS | kernel.CLONE_NEWIPC)
            self._say("unshared")
            self._prepare()
            self._live()
        except BaseException:  # noqa: BLE001 - the end of this process: the rig is told why
            self._say("failed", error=traceback.format_exc())
        finally:
            os._exit(1)

    def _prepare(self) -> None:
        spec = self._spec
        socket.sethostname(spec["name"])
        Path("/proc/sys/net/ipv6/conf/default/disable_ipv6").write_text("1")
        kernel.set_up("lo")
        kernel.set_address("lo:1", METADATA, "255.255.255.255")
        subprocess.run(["nft", "-f", "-"], input=spec["rules"].encode(), check=True)
        image.enter(spec["stage"], spec["console"], spec["name"], spec["user"])
        self._cable()
        kernel.set_address("eth0", spec["private"], spec["private_mask"])
        if spec["public"]:
            kernel.set_address("eth0:1", spec["public"], spec["public_mask"])
        if not spec["silent"]:
            kernel.set_up("eth0")
        kernel.drop_capabilities()
        with socket.create_server((METADATA, 80), backlog=64) as metadata:
            self._say("prepared", metadata.fileno())

    def _cable(self) -> None:
        """Until the rig has put the network's end into this namespace."""
        if self._order() != "cable":
            raise RuntimeError("no cable")

    def _live(self) -> None:
        wake, woken = os.pipe()
        os.set_blocking(woken, False)
        for number in _SIGNALS:
            signal.signal(number, lambda number, _: self._asked.add(number))
        signal.set_wakeup_fd(woken)
        poll = select.poll()
        for descriptor in (self._orders, wake):
            poll.register(descriptor, select.POLLIN)
        while True:
            for descriptor, _ in poll.poll():
                if descriptor == wake:
                    os.read(wake, 64)
                elif self._order() == "boot":
                    kernel.set_up("eth0")
                    self._boot(first=True)
                else:
                    poll.unregister(self._orders)
            asked, self._asked = self._asked, set()
            self._reap()
            if signal.SIGINT in asked:
                self._end_everything()
                self._boot(first=False)
            elif asked & {signal.SIGUSR2, signal.SIGTERM}:
                self._end_everything()
                os._exit(POWERED_OFF)

    def _boot(self, first: bool) -> None:
        user = self._spec["user"]
        if first:
            self._console(f"[    0.000000] Linux version {os.uname().release}\n")
            for name, home in ((user, f"/home/{user}"), ("root", "/root")):
                image.let_in(name, home, self._spec["public_key"])
            with open(_HOST_KEY, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                file.write(self._spec["host_key"])
            Path(f"{_HOST_KEY}.pub").write_text(f"{self._spec['host_key_public']} root@{self._spec['name']}\n")
        self._start(["/usr/sbin/sshd" if os.path.exists("/usr/sbin/sshd") else str(shutil.which("sshd")), "-D",
                     "-E", "/var/log/sshd.log"])  # fmt: skip
        deadline = time.monotonic() + 30
        while not os.path.exists("/run/sshd.pid") and time.monotonic() < deadline:
            time.sleep(0.002)
        self._say("up")
        if first and self._spec["user_data"]:
            self._run_user_data(bytes.fromhex(self._spec["user_data"]))
        else:
            self._booted()

    def _run_user_data(self, data: bytes) -> None:
        with open("/var/log/cloud-init-output.log", "ab") as log:
            if not data.startswith(b"#!"):
                log.write(b"rig: this user data is no script that begins with #!, and is left alone\n")
                self._booted()
                return
            os.makedirs(f"{_BOOT}/scripts", exist_ok=True)
            script = f"{_BOOT}/scripts/part-001"
            with open(script, "wb") as file:
                file.write(data)
            os.chmod(script, 0o700)
            self._user_data = self._start([script], stdout=log, stderr=log)

    def _booted(self) -> None:
        """The end of cloud-init's last stage: the keys on the console are those that user data has left."""
        self._user_data = None
        keys = []
        for path in sorted(Path("/etc/ssh").glob("ssh_host_*_key.pub")):
            fields = path.read_text().split()
            keys.append(f"{fields[0]} {fields[1]} root@{self._spec['name']}\n")
        block = "".join(keys)
        self._console(f"-----BEGIN SSH HOST KEY KEYS-----\n{block}-----END SSH HOST KEY KEYS-----\n")
        Path(f"{_BOOT}/boot-finished").write_text(f"{time.time()}\n")
        self._say("booted")

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if self._user_data is not None and pid == self._user_data.pid:
                self._user_data.returncode = os.waitstatus_to_exitcode(status)
                if self._user_data.returncode:
                    self._console(f"cloud-init: part-001 failed: {self._user_data.returncode}\n")
                self._booted()

    def _end_everything(self) -> None:
        """As a shutdown does: a word, a moment, and the end."""
        self._user_data = None
        for number, patience in ((signal.SIGTERM, 0.3), (signal.SIGKILL, 5.0)):
            try:
                os.kill(-1, number)
            except ProcessLookupError:
                return
            deadline = time.monotonic() + patience
            while time.monotonic() < deadline:
                try:
                    if os.waitpid(-1, os.WNOHANG)[0] == 0:
                        time.sleep(0.005)
                except ChildProcessError:
                    break
        for path in ("/run/sshd.pid",):
            Path(path).unlink(missing_ok=True)

    def _start(self, command: list[str], stdout: Any = subprocess.DEVNULL, stderr: Any = subprocess.DEVNULL) -> Any:
        environment = {"PATH": _PATH, "HOME": "/root", "LANG": "C.UTF-8"}
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env=environment, cwd="/",
            start_new_session=True,
        )  # fmt: skip

    def _order(self) -> str:
        """The next line of orders; "" if the rig has gone."""
        line = b""
        while not line.endswith(b"\n"):
            part = os.read(self._orders, 1)
            if not part:
                return ""
            line += part
        return line.decode().strip()

    def _console(self, text: str) -> None:
        with open("/dev/console", "w") as console:
            console.write(text)

    def _say(self, event: str, descriptor: int | None = None, **more: Any) -> None:
        message = json.dumps({"event": event, "id": self._spec["id"], **more}).encode()
        socket.send_fds(self._tell, [message], [] if descriptor is None else [descriptor])

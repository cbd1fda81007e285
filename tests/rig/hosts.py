"""The hosts of a rig: each instance a machine of namespaces with an OpenSSH server, on a network of its own."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import console, metadata, network, requirements
from .alarms import Alarms
from .groups import Groups
from .host import Host
from .lives import Lives

if TYPE_CHECKING:
    from .backend import RigBackend

#: Who can log in, besides root.
USER = "admin"
_LARGEST = 1 << 18
_SO_SNDBUFFORCE = 32


class Hosts:
    """The `Machines` of a rig's `Lives`. Raises RuntimeError if this machine can have none."""

    def __init__(self, boot_delay: Callable[[Any], float]) -> None:
        if reason := requirements.missing():
            raise RuntimeError(reason)
        self.by_id: dict[str, Host] = {}
        self.mishaps: list[str] = []
        self.network = network.claim()
        self._boot_delay = boot_delay
        self._directory = Path(tempfile.mkdtemp(prefix="ebbtide-rig-"))
        (self._directory / "stage").mkdir()
        self._lock = threading.Lock()
        self._ready: dict[str, Callable[[], None]] = {}
        self._instances: dict[str, Any] = {}
        self._rules: dict[str, str] = {}
        self._files: dict[str, list[Any]] = {}  # of each host: its console, and where its metadata is asked for
        self._selector = selectors.DefaultSelector()
        self._daemon, self._own = self._start_daemon()
        self._wake, self._woken = socket.socketpair()
        for descriptor, action in ((self._own, self._hear), (self._wake, lambda: self._wake.recv(64))):
            self._selector.register(descriptor, selectors.EVENT_READ, action)
        self._open = True
        self._thread = threading.Thread(target=self._watch, name="rig-hosts", daemon=True)
        self._thread.start()

    def attach(self, backend: RigBackend, lives: Lives, alarms: Alarms, guard_controller: bool) -> None:
        self._backend, self._lives, self._alarms = backend, lives, alarms
        self._groups = Groups(
            lambda group: backend.get_security_group_from_id(group) is not None,
            () if guard_controller else self.network.controllers,
        )

    def close(self) -> None:
        """Nothing is left afterwards: no process, no interface, no file."""
        self._open = False
        self._own.shutdown(socket.SHUT_RDWR)
        self._woken.send(b".")
        self._thread.join()
        try:
            self._daemon.wait(30)
        except subprocess.TimeoutExpired:
            self._daemon.kill()
            self._daemon.wait()
        for key in list(self._selector.get_map().values()):
            self._forget(key.fileobj)
        self._selector.close()
        self._woken.close()
        shutil.rmtree(self._directory, ignore_errors=True)
        self.network.release()

    # ------------------------------------------------------------------------------------------------------ Machines

    def prepare(self, instance: Any, ready: Callable[[], None]) -> None:
        private, public = console.new_host_key()
        key_pair = self._backend.key_pairs.get(instance.key_name)
        key = key_pair.public_key if key_pair is not None else ""
        host = Host(instance.id, instance.private_ip, instance.public_ip, public)
        rules = self._groups.rules(instance)
        with self._lock:
            self.by_id[instance.id] = host
            self._ready[instance.id], self._instances[instance.id] = ready, instance
            self._rules[instance.id] = rules
        self._order(
            {
                "do": "prepare",
                "id": instance.id,
                "name": instance.private_dns_name.partition(".")[0],
                "user": USER,
                "stage": str(self._directory / "stage"),
                "console": str(self._new_console(host)),
                "mac": network.mac_of(host.ip, self._groups.bits_of(instance)),
                "private": host.ip,
                "private_mask": _mask(self.network.private),
                "public": host.public_ip or "",
                "public_mask": _mask(self.network.public),
                "silent": self._boot_delay(instance) > 0,
                "rules": rules,
                "public_key": key,
                "host_key": private,
                "host_key_public": public,
                "user_data": console.user_data_of(instance).hex(),
            }
        )

    def boot(self, instance: Any) -> None:
        host = self.by_id[instance.id]
        delay = self._boot_delay(instance)
        if delay > 0:
            self._alarms.after(delay, lambda: self._boot(host))
        else:
            self._boot(host)

    def end(self, instance_id: str, at_once: bool) -> bool:
        with self._lock:
            there = instance_id in self._instances
        self._order({"do": "end", "id": instance_id, "silent": at_once})
        return there

    def reboot(self, instance_id: str) -> None:
        self._order({"do": "reboot", "id": instance_id})

    # -------------------------------------------------------------------------------------------------------- faults

    def kill(self, instance_id: str) -> None:
        self._known(instance_id)
        self._order({"do": "end", "id": instance_id, "silent": True})

    def link(self, instance_id: str, up: bool) -> None:
        self._known(instance_id)
        self._order({"do": "link", "id": instance_id, "up": up})

    def groups_changed(self) -> None:
        """Every host filters by what its groups say by now."""
        with self._lock:
            for instance_id, instance in self._instances.items():
                rules = self._groups.rules(instance)
                if rules != self._rules[instance_id]:
                    self._rules[instance_id] = rules
                    self._order({"do": "rules", "id": instance_id, "rules": rules})

    def console(self, instance_id: str) -> str:
        host = self.by_id.get(instance_id)
        return host.console if host is not None else ""

    # -------------------------------------------------------------------------------------------------------- inside

    def _known(self, instance_id: str) -> None:
        if instance_id not in self.by_id:
            raise KeyError(f"{instance_id} has no host; those that have: {', '.join(self.by_id) or 'none'}")

    def _boot(self, host: Host) -> None:
        self._order({"do": "boot", "id": host.id})

    def _order(self, order: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # the rig closes: the daemon ends all of them
            self._own.send(json.dumps(order).encode())

    def _start_daemon(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        own, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (own, theirs):  # room for all orders of a big call, while neither side waits for the other
            end.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, 16 << 20)
        environment = {"PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/bin:/bin", "LANG": "C.UTF-8"}
        daemon = subprocess.Popen(
            [sys.executable, "-E", "-s", "-S", "-m", "tests.rig.hostd", str(theirs.fileno())],
            cwd=requirements.root(), pass_fds=[theirs.fileno(), self.network.lock], env=environment,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        theirs.close()
        (self._directory / "daemon").write_text(str(daemon.pid))  # by which `cleanup` tells the dead
        opening = {"do": "open", "bridge": self.network.bridge, "addresses": self.network.addresses()}
        own.send(json.dumps({**opening, "directory": str(self._directory)}).encode())
        return daemon, own

    def _watch(self) -> None:
        while self._open:
            for key, _ in self._selector.select():
                if not self._open:
                    return
                try:
                    key.data()
                except Exception:  # noqa: BLE001 - it concerns one host; the others go on, and a test can see it
                    self._mishap(traceback.format_exc())

    def _hear(self) -> None:
        message, descriptors, _, _ = socket.recv_fds(self._own, _LARGEST, 4)
        if not message:
            self._forget(self._own)
            return
        event = json.loads(message)
        host, kind = self.by_id.get(event["id"]), event["event"]
        if host is None:
            self._mishap(f"{event}")
        elif kind == "prepared":
            host.state = "prepared"
            self._serve_metadata(host, socket.socket(fileno=descriptors[0]))
            self._ready.pop(host.id)()
        elif kind in ("up", "booted"):
            host.state = kind
        elif kind == "failed":
            host.error = event["error"]
            self._mishap(f"{host.id}: {event['error']}")
        elif kind == "ended":
            self._ended(host, event["off"])

    def _mishap(self, text: str) -> None:
        if self._open:
            self.mishaps.append(text)
            print(f"rig: {text}", file=sys.stderr)

    def _ended(self, host: Host, powered_off: bool) -> None:
        host.state = "off"
        with self._lock:
            self._instances.pop(host.id, None)
            self._rules.pop(host.id, None)
            self._ready.pop(host.id, None)
            files = self._files.pop(host.id, [])
        for file in files:
            with contextlib.suppress(OSError):  # the last words on its console
                self._selector.get_key(file).data()
            self._forget(file)
        self._lives.ended(host.id, powered_off)

    def _new_console(self, host: Host) -> Path:
        """A pipe that the host has as /dev/console. Kept open by us, so that it never ends."""
        path = self._directory / f"{host.id}.console"
        path.unlink(missing_ok=True)
        os.mkfifo(path, 0o622)
        descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

        def read() -> None:
            host.console += os.read(descriptor, 65536).decode(errors="replace")

        self._register(host, descriptor, read)
        return path

    def _serve_metadata(self, host: Host, listener: socket.socket) -> None:
        instance = self._lives[host.id].instance
        key_pair = self._backend.key_pairs.get(instance.key_name)
        key = key_pair.public_key if key_pair is not None else ""
        data = console.user_data_of(instance)

        def look() -> metadata.Tree:
            return metadata.tree(instance, self._lives[host.id].notice, self._backend.region_name, data, key)

        service = metadata.Metadata(look)

        def accept() -> None:
            with contextlib.suppress(OSError):
                service.serve(*listener.accept())

        listener.setblocking(False)
        self._register(host, listener, accept)

    def _register(self, host: Host, file: Any, action: Callable[[], Any]) -> None:
        with self._lock:
            self._files.setdefault(host.id, []).append(file)
        self._selector.register(file, selectors.EVENT_READ, action)
        self._woken.send(b".")

    def _forget(self, file: Any) -> None:
        with contextlib.suppress(KeyError):
            self._selector.unregister(file)
        if isinstance(file, int):
            os.close(file)
        else:
            file.close()


def _mask(cidr: str) -> str:
    return str(ipaddress.ip_network(cidr).netmask)

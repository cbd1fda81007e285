"""The process that has the hosts of one rig as its children: `python -m tests.rig.hostd DESCRIPTOR`.

Small, single-threaded and without the rig's libraries, as every host is a fork of it. It ends all of them, the bridge
and its directory when its connection to the rig ends, however that happens.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import kernel, links
from .machine import POWERED_OFF, Machine

_LARGEST = 1 << 18


@dataclass
class Child:
    pid: int
    orders: int
    device: str
    spec: Mapping[str, Any]


class HostDaemon:
    def __init__(self, rig: socket.socket) -> None:
        self._rig = rig
        self._inner, self._outer = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._children: dict[str, Child] = {}
        self._made = 0
        self._bridge: dict[str, Any] = {}
        self._own_pids = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)

    def run(self) -> None:
        wake, woken = os.pipe()
        os.set_blocking(woken, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(woken)
        poll = select.poll()
        for descriptor in (self._rig.fileno(), self._inner.fileno(), wake):
            poll.register(descriptor, select.POLLIN)
        gc.collect()
        gc.freeze()
        gc.disable()  # a collection would write to all the memory that the forks share
        try:
            while True:
                ready = {descriptor for descriptor, _ in poll.poll()}
                if wake in ready:
                    os.read(wake, 64)
                if self._inner.fileno() in ready:
                    self._relay()
                self._bury()
                if self._rig.fileno() in ready:
                    message = self._rig.recv(_LARGEST)
                    if not message:
                        return
                    self._try(json.loads(message))
        finally:
            self._close()

    def _try(self, order: dict[str, Any]) -> None:
        """What fails for one host must not end the others."""
        try:
            self._obey(order)
        except OSError as error:
            failed = {"event": "failed", "id": order.get("id", ""), "error": f"{order['do']}: {error}"}
            self._report(json.dumps(failed).encode(), [])

    def _obey(self, order: dict[str, Any]) -> None:
        child = self._children.get(order.get("id", ""))
        if order["do"] == "open":
            self._bridge = order
            links.make_bridge(order["bridge"], order["addresses"])
        elif order["do"] == "prepare":
            self._fork(order)
        elif child is None:
            return
        elif order["do"] == "boot":
            with contextlib.suppress(BrokenPipeError):
                os.write(child.orders, b"boot\n")
        elif order["do"] == "link":
            self._switch(child, order["up"])
        elif order["do"] == "rules":
            self._rules(child, order["rules"])
        elif order["do"] == "end":
            if order["silent"]:
                self._switch(child, False)
            os.kill(child.pid, signal.SIGKILL)
        elif order["do"] == "reboot":
            os.kill(child.pid, signal.SIGINT)

    def _fork(self, spec: dict[str, Any]) -> None:
        orders, given = os.pipe()
        kernel.unshare(kernel.CLONE_NEWPID)  # for children only: the next one is the first process of the new namespace
        pid = os.fork()
        if pid == 0:
            try:
                signal.set_wakeup_fd(-1)
                keep = {0, 1, 2, orders, self._outer.fileno()}
                for name in os.listdir("/proc/self/fd"):
                    if int(name) not in keep:
                        with contextlib.suppress(OSError):
                            os.close(int(name))
                Machine(spec, orders, self._outer).run()
            finally:
                os._exit(1)
        kernel.setns(self._own_pids, kernel.CLONE_NEWPID)
        os.close(orders)
        self._made += 1
        self._children[spec["id"]] = Child(pid, given, f"{self._bridge['bridge']}-{self._made}", spec)

    def _relay(self) -> None:
        """From the hosts to the rig; those that are in their namespaces get their cable, all at once."""
        waiting = []
        while select.select([self._inner], [], [], 0)[0]:
            message, descriptors, _, _ = socket.recv_fds(self._inner, _LARGEST, 4)
            event = json.loads(message)
            child = self._children.get(event["id"])
            if event["event"] == "unshared" and child is not None:
                waiting.append(child)
            else:
                self._report(message, descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
        if waiting:
            links.plug(self._bridge["bridge"], [(child.device, child.pid, child.spec) for child in waiting])
            for child in waiting:
                with contextlib.suppress(BrokenPipeError):
                    os.write(child.orders, b"cable\n")

    def _bury(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for name, child in list(self._children.items()):
                if child.pid == pid:
                    del self._children[name]
                    os.close(child.orders)
                    off = os.waitstatus_to_exitcode(status) == POWERED_OFF
                    self._report(json.dumps({"event": "ended", "id": name, "off": off}).encode(), [])

    def _report(self, message: bytes, descriptors: list[int]) -> None:
        with contextlib.suppress(OSError):  # the rig has gone: the end of its connection is read next
            socket.send_fds(self._rig, [message], descriptors)

    def _switch(self, child: Child, up: bool) -> None:
        with contextlib.suppress(OSError):  # it is dying, and its device with it
            kernel.set_up(child.device, up)

    def _rules(self, child: Child, rules: str) -> None:
        subprocess.run(
            ["nsenter", f"--net=/proc/{child.pid}/ns/net", "nft", "-f", "-"], input=rules.encode(), check=False
        )

    def _close(self) -> None:
        for child in self._children.values():
            os.kill(child.pid, signal.SIGKILL)
        for child in self._children.values():
            os.waitpid(child.pid, 0)
        if self._bridge:
            links.remove(self._bridge["bridge"])
            shutil.rmtree(self._bridge["directory"], ignore_errors=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the rig decides, or its end
    HostDaemon(socket.socket(fileno=int(sys.argv[1]))).run()

"""A link to a real local node, ears for what comes over it, and a proxy that can cut it."""

import io
import itertools
import os
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import paramiko
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from providers import Provider, Vm, VmSpec, VmState, open_provider
from runner.doors import OpenDoor
from runner.node_link import LinkTimeouts, NodeLink

from .node import wait_until

Message = dict[str, Any]
_numbers = itertools.count()
#: For tests of what a link does when these are over. Any other could be cut by a busy machine.
QUICK = LinkTimeouts(ping=0.2, silence=1.0)


def new_key() -> str:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()


KEY = new_key()
#: For what is told of a VM, and never goes there.
NOWHERE = Vm("nowhere", "i-1", VmState.RUNNING, None, None, "root", None, False, "/", None)


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Provider, str]]:
    deployment = f"link{os.getpid()}"
    provider = open_provider("local", {"baseDir": str(tmp_path_factory.mktemp("nodes"))}, deployment)
    yield provider, deployment
    for vm in provider.list_owned():
        provider.destroy(vm.name)


@pytest.fixture
def vm(provider: tuple[Provider, str]) -> Iterator[Vm]:
    cloud, deployment = provider
    public = paramiko.Ed25519Key.from_private_key(io.StringIO(KEY))
    name = f"{deployment}-n{next(_numbers)}"
    yield cloud.create(
        VmSpec(
            name=name,
            deployment=deployment,
            pool_id="p",
            node_id="n",
            size="local.small",
            image=cloud.images()[0].name,
            low_priority=False,
            public_key=f"{public.get_name()} {public.get_base64()}",
        )
    )
    cloud.destroy(name)


class Ears:
    """Listens to a link."""

    def __init__(
        self, vm: Vm, key: str = KEY, timeouts: LinkTimeouts | None = None, door: OpenDoor | None = None
    ) -> None:
        self.messages: list[Message] = []
        self.reasons: list[str] = []
        self.link = NodeLink(vm, key, self.messages.extend, self.reasons.append, timeouts, door)

    def wait(self, wanted: Callable[[Message], bool]) -> Message:
        found: Message = wait_until(lambda: next((m for m in list(self.messages) if wanted(m)), None))
        return found

    def hello(self) -> Message:
        """The first message. It is handed over by the link's own thread, perhaps after `connect` has returned."""
        first: Message = wait_until(lambda: self.messages[:1])[0]
        return first

    def sh(self, key: str, script: str) -> None:
        argv = ["/bin/sh", "-c", script]
        self.link.send({"op": "start", "id": key, "dir": f"workitems/j/job-1/{key}", "argv": argv, "env": {}})


@pytest.fixture
def ears(vm: Vm) -> Iterator[Ears]:
    ears = Ears(vm)
    ears.link.connect()
    ears.link.send({"op": "configure", "slots": 2, "env": {"X": "é"}})
    yield ears
    ears.link.close()


class Recorder:
    """In place of a link: keeps what it shall send."""

    browsed: Any = None
    users: Any = None

    def __init__(self, door: str | None = None) -> None:
        self.door = door
        self.sent: list[dict[str, Any]] = []

    def connect(self) -> None: ...

    def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    def fetch(self, *_: object) -> None: ...

    def upload(self, *_: object) -> None: ...

    def close(self) -> None: ...


class Proxy:
    """A TCP proxy on the way to a node, that can be cut or fall silent."""

    def __init__(self, vm: Vm) -> None:
        self._target = (vm.address or "", vm.port or 0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.silent = False
        self.vm = replace(vm, address="127.0.0.1", port=self._listener.getsockname()[1])
        self._run(self._accept)

    def _run(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _accept(self) -> None:
        try:
            near, _ = self._listener.accept()
        except OSError:
            return
        far = socket.create_connection(self._target)
        self._sockets += [near, far]
        self._run(lambda: self._pump(near, far))
        self._run(lambda: self._pump(far, near))

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                if not self.silent:
                    sink.sendall(data)
        except OSError:
            pass  # cut

    def cut(self) -> None:
        for sock in self._sockets:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the other side was first

    def close(self) -> None:
        self.cut()
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        for sock in [*self._sockets, self._listener]:
            sock.close()

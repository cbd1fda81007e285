"""Application packages on one node: uploaded and unpacked, each once per connection; and images of containers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future

from .environment import package_directory
from .link_errors import LinkError, Unreachable
from .model import ApplicationPackage
from .node_messages import Link, Message
from .packages import PackageStore

#: Seconds for unpacking one package on a node.
INSTALL_TIMEOUT = 600.0
#: Seconds for all images of a pool on a node; how the order for them is called.
IMAGES_TIMEOUT, IMAGES = 3600.0, "images"
#: A transfer that breaks while the connection holds (no channel left, say) is tried so often, with pauses (seconds).
TRIES, PAUSE = 5, 1.0


class NodePackages:
    def __init__(
        self,
        store: PackageStore,
        send: Callable[[Message], None],
        link: Callable[[], Link | None],
        closed: threading.Event,
        background: Callable[[Callable[[], None]], None],
    ) -> None:
        self._store = store
        self._send = send
        self._link = link
        self._closed = closed
        self._background = background
        self._lock = threading.Lock()
        #: by directory: why it could not be brought, if so
        self._installs: dict[str, Future[str | None]] = {}
        self._replies: dict[str, Future[None]] = {}

    def installed(self, packages: Iterable[ApplicationPackage]) -> bool:
        with self._lock:
            found = [self._installs.get(package_directory(p)) for p in packages]
        return all(f is not None and f.done() and not _failed(f) for f in found)

    def install(self, packages: Sequence[ApplicationPackage], then: Callable[[str | None], None]) -> None:
        """Bring the packages to the node; `then` hears why that cannot be done, if so. Blocks, so not for the engine's
        thread; but who wants what another is bringing takes no thread meanwhile, however long that is."""
        if not packages:
            then(None)
            return
        package, rest = packages[0], packages[1:]
        key = package_directory(package)
        with self._lock:
            future = self._installs.get(key)
            mine = future is None or (future.done() and _failed(future))
            if future is None or mine:
                future = self._installs[key] = Future()
        if mine:
            try:
                future.set_result(self._bring(package, key))
            except BaseException as exc:
                future.set_exception(exc)
                raise

        def go_on(brought: Future[str | None]) -> None:
            error = brought.result()
            if error is None:
                self.install(rest, then)
            else:
                then(error)

        if future.done():
            go_on(future)
        else:
            future.add_done_callback(lambda brought: self._background(lambda: go_on(brought)))

    def bring_images(self, images: Message) -> str | None:
        """Have the node bring images of containers; says why if that cannot be done. Blocks too."""
        reply: Future[None] = Future()
        with self._lock:
            self._replies[IMAGES] = reply
        if self._closed.is_set():
            return "the connection was closed"
        self._send({"op": "install", "id": IMAGES, **images})
        try:
            reply.result(timeout=IMAGES_TIMEOUT)
        except TimeoutError:
            return f"the images of containers did not come within {IMAGES_TIMEOUT:g} s"
        except LinkError as exc:
            return f"images of containers: {exc}"
        return None

    def reply(self, message: Message) -> None:
        """The agent's answer to an install."""
        with self._lock:
            reply = self._replies.pop(message["id"], None)
        if reply is None:
            return
        if message["op"] == "installed":
            reply.set_result(None)
        else:
            reply.set_exception(LinkError(message["message"]))

    def abandon(self, reason: str) -> None:
        """The connection has ended; no answer will come."""
        with self._lock:
            replies, self._replies = list(self._replies.values()), {}
        for reply in replies:
            reply.set_exception(Unreachable(reason))

    def _bring(self, package: ApplicationPackage, directory: str) -> str | None:
        """Says why it cannot be had, if so. It always ends: a transfer that stands still breaks off, unpacking has a
        limit."""
        tried = 0
        while True:
            tried += 1
            try:
                self._transfer(package, directory)
                return None
            except Unreachable as exc:
                if tried == TRIES or self._closed.wait(PAUSE):
                    return f"application package {package.application_id} could not be brought to the node: {exc}"
            except (LinkError, OSError) as exc:
                return f"application package {package.application_id} could not be installed: {exc}"

    def _transfer(self, package: ApplicationPackage, directory: str) -> None:
        link = self._link()
        if link is None or self._closed.is_set():
            raise Unreachable("the connection was closed")
        file = f".ebbtide/packages/{package.sha256}.zip"
        with open(self._store.path(package), "rb") as source:
            link.upload(file, source, package.size, package.sha256)
        reply: Future[None] = Future()
        with self._lock:
            self._replies[directory] = reply
        if self._closed.is_set():
            raise Unreachable("the connection was closed")
        self._send({"op": "install", "id": directory, "file": file, "dir": directory, "sha256": package.sha256})
        try:
            reply.result(timeout=INSTALL_TIMEOUT)
        except TimeoutError:
            raise LinkError(f"not unpacked within {INSTALL_TIMEOUT:g} s") from None


def _failed(install: Future[str | None]) -> bool:
    return install.exception() is not None or install.result() is not None

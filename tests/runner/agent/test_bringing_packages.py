"""Packages on their way to a node: who wants one that another is bringing waits for it, and hears how that ends."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import pytest
from msgspec.structs import replace

from runner import ApplicationPackage, PackageStore
from runner.link_errors import LinkError, Unreachable
from runner.node_packages import NodePackages

from .link import Recorder
from .node import wait_until

PATIENCE = 20.0


class Slow(Recorder):
    """A link whose upload takes until it is let `go`, and then ends like that."""

    def __init__(self, end: Callable[[], object]) -> None:
        super().__init__()
        self._end = end
        self.begun, self.go = threading.Event(), threading.Event()

    def upload(self, *_: object) -> None:
        self.begun.set()
        assert self.go.wait(PATIENCE)
        self._end()


class Bringing:
    """A node to which one has begun to bring a package; others want it too. There are two threads."""

    def __init__(self, store: PackageStore, package: ApplicationPackage, end: Callable[[], object]) -> None:
        self.link, self.closed = Slow(end), threading.Event()
        self._threads = ThreadPoolExecutor(2)
        self.packages = NodePackages(store, self.link.send, lambda: self.link, self.closed, self.background)
        self.package = package
        self.first = self.wanted()
        assert self.link.begun.wait(PATIENCE)
        self.others = [self.wanted(), self.wanted(), self.wanted()]

    def background(self, work: Callable[[], object]) -> None:
        self._threads.submit(work)

    def wanted(self) -> Future[str | None]:
        told: Future[str | None] = Future()
        self.background(lambda: self.packages.install([self.package], told.set_result))
        return told

    def told(self) -> set[str | None]:
        return {each.result(PATIENCE) for each in (self.first, *self.others)}

    def close(self, reason: str) -> None:
        self.closed.set()
        self.packages.abandon(reason)
        self.link.go.set()
        wait([self.first, *self.others], PATIENCE)
        self._threads.shutdown()


Begin = Callable[[Callable[[], object]], Bringing]


@pytest.fixture
def begin(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    monkeypatch.setattr("runner.node_packages.INSTALL_TIMEOUT", 0.1)
    monkeypatch.setattr("runner.node_packages.PAUSE", 0.0)
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "file").touch()
    store = PackageStore(tmp_path / "packages")
    package = store.add("app", "1", tmp_path / "source", 0.0)
    made: list[Bringing] = []

    def begun(end: Callable[[], object]) -> Bringing:
        made.append(Bringing(store, package, end))
        return made[-1]

    yield begun
    for each in made:
        each.close("the test is over")


def test_a_long_way_is_no_failure_of_those_who_wait(begin: Begin) -> None:
    node = begin(lambda: None)
    assert not wait(node.others, timeout=0.5).done, "longer than unpacking may take, and the upload still moves"
    node.link.go.set()
    message = wait_until(lambda: next(iter(node.link.sent), None))
    node.packages.reply({"op": "installed", "id": message["id"]})
    assert node.told() == {None}
    assert len(node.link.sent) == 1, "brought once"


def test_those_who_wait_take_no_thread_from_others(begin: Begin) -> None:
    node, done = begin(lambda: None), threading.Event()
    node.background(done.set)
    assert done.wait(PATIENCE)
    assert not any(each.done() for each in (node.first, *node.others))


def test_who_has_waited_goes_on_with_the_next(begin: Begin) -> None:
    node, told = begin(lambda: None), Future[str | None]()
    other = replace(node.package, application_id="other")
    node.background(lambda: node.packages.install([node.package, other], told.set_result))
    node.link.go.set()
    for number in range(2):
        message = wait_until(lambda: next(iter(node.link.sent[number:]), None))  # noqa: B023
        node.packages.reply({"op": "installed", "id": message["id"]})
    assert told.result(PATIENCE) is None and node.packages.installed([node.package, other])


def _broken() -> None:
    raise LinkError("the disk is full")


def _unreachable() -> None:
    raise Unreachable("the transfer broke off")


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (_broken, "application package app could not be installed: the disk is full"),
        (_unreachable, "application package app could not be brought to the node: the transfer broke off"),
        (lambda: None, "application package app could not be installed: not unpacked within 0.1 s"),
    ],
)
def test_how_it_fails_is_told_to_all_who_wait(begin: Begin, end: Callable[[], object], told: str) -> None:
    node = begin(end)
    node.link.go.set()
    assert node.told() == {told}


def test_who_waits_is_released_when_the_connection_ends(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.node_packages.INSTALL_TIMEOUT", 1000.0)
    node = begin(lambda: None)
    node.link.go.set()
    wait_until(lambda: node.link.sent)
    node.close("the node went")
    assert all("could not be brought to the node: the" in (each or "") for each in node.told())

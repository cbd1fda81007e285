"""Files over REST, without nodes: how they may be named, what a slow node does to others, and a file that grows or
shrinks while it is read."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner import Output, OutputStore
from service.api.application import BatchApplication
from service.api.backend import Backend
from service.api.errors import ApiError
from service.api.files import _PIECE as PIECE
from service.api.files import Files
from service.api.gates import open_gate
from service.file_trees import Entry, Kept, Tree, TreeError
from service.log_tail import start_of_last_lines

from .stage import PATIENCE

T = TypeVar("T")
SLOW = 8


class Node:
    """Its files; `gate`: what it waits for before it answers anything."""

    execution: str | None = "e-1"

    top: str | None = None

    def __init__(
        self, node_id: str, files: dict[str, bytes], gate: threading.Event | None = None, most: int = 1000
    ) -> None:
        """`most`: entries that it names at a time."""
        self.node_id: str | None = node_id
        self._most = most
        self.files = files
        self.gate = gate
        self.asked = threading.Semaphore(0)

    def _wait(self) -> None:
        self.asked.release()
        if self.gate is not None:
            assert self.gate.wait(PATIENCE)

    def entries(self, folder: str, recursive: bool, after: str = "") -> tuple[list[Entry], bool]:
        self._wait()
        below = f"{folder}/" if folder else ""
        names = [name for name in sorted(self.files) if name.startswith(below) and name > after]
        if folder and not any(name.startswith(below) for name in self.files):
            raise TreeError(404, "FileNotFound", f"no {folder!r}")
        return [self._entry(name) for name in names[: self._most]], len(names) > self._most

    def entry(self, path: str) -> Entry:
        self._wait()
        return self._entry(path)

    def _entry(self, path: str) -> Entry:
        if path not in self.files:
            raise TreeError(404, "FileNotFound", f"no {path!r}")
        return Entry(path, False, len(self.files[path]), 1000.5, 0o644)

    def read(self, path: str, offset: int, length: int) -> bytes:
        return self.files[path][offset : offset + length]

    def delete(self, path: str, recursive: bool) -> None:
        del self.files[path]


class ToAll(Files):
    """The files of these nodes."""

    def __init__(self, *nodes: Node) -> None:
        super().__init__(Reading())
        self._nodes = {str(node.node_id): node for node in nodes}

    def find(self, ids: Mapping[str, str]) -> Tree:
        return self._nodes[ids["nodeId"]]


class Reading(Backend):
    """Reads, and has no controller."""

    def __init__(self) -> None:
        pass

    async def read(self, find: Callable[[], T], *, many: bool = False) -> T:
        return find()


def client(*nodes: Node, files: Files | None = None) -> httpx.AsyncClient:
    made = files if files is not None else ToAll(*nodes)
    application: Any = BatchApplication(made.handlers(), open_gate, lambda: 0.0, lambda: "request")
    return httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://test")


def test_nothing_is_kept_of_nodes_that_were_asked() -> None:
    nodes = [Node(f"n{number}", {"f": b"text"}) for number in range(20)]
    files = ToAll(*nodes)

    async def run() -> None:
        async with client(files=files) as http:
            for node in nodes:
                assert (await http.get(f"/pools/p/nodes/{node.node_id}/files/f")).content == b"text"

    asyncio.run(run())
    assert len(files._limits) == 0


def test_a_node_that_does_not_answer_keeps_nobody_waiting() -> None:
    gate = threading.Event()
    slow = [Node(f"slow{n}", {"f": b"late"}, gate) for n in range(SLOW)]
    fast = Node("fast", {"f": b"soon"})

    async def run() -> None:
        async with client(*slow, fast) as http:
            # more than the threads that anybody has by default
            urls = [f"/pools/p/nodes/{node.node_id}/files/f" for node in slow for _ in range(10)]
            waiting = [asyncio.create_task(http.get(url)) for url in urls]
            for node in slow:
                await asyncio.to_thread(node.asked.acquire)
            for _ in range(20):
                assert (await http.get("/pools/p/nodes/fast/files/f")).content == b"soon"
            assert not any(task.done() for task in waiting)
            gate.set()
            assert {(await task).content for task in waiting} == {b"late"}

    asyncio.run(asyncio.wait_for(run(), PATIENCE))


def test_names_of_all_kinds() -> None:
    names = ["a b", "wd/ä", "100%", "wd/x?y#z", "it's", "new\nline"]
    node = Node("n", {name: name.encode() for name in names})

    async def run() -> None:
        async with client(node) as http:
            listed = (await http.get("/pools/p/nodes/n/files")).json()["value"]
            for entry in listed:
                assert (await http.get(entry["url"])).text == entry["name"]
            quoted = await http.get("/pools/p/nodes/n/files", params={"$filter": "startswith(name, 'it''s')"})
            assert [entry["name"] for entry in quoted.json()["value"]] == ["it's"]
            assert (await http.delete(listed[0]["url"])).status_code == 200

    asyncio.run(run())
    assert sorted(node.files) == sorted(set(names) - {"100%"})


def test_a_file_that_grows_is_read_as_long_as_it_was() -> None:
    node = Node("n", {"f": b"x" * 10})
    plain = node.read

    def read(path: str, offset: int, length: int) -> bytes:
        node.files["f"] += b"more"
        return plain(path, offset, length)

    node.read = read  # type: ignore[method-assign]

    async def run() -> None:
        async with client(node) as http:
            assert (await http.get("/pools/p/nodes/n/files/f")).content == b"x" * 10

    asyncio.run(run())


def test_a_file_that_shrinks_breaks_the_answer_off() -> None:
    node = Node("n", {"f": b"x" * (PIECE + 10)})
    plain = node.read
    node.read = lambda path, offset, length: plain(path, offset, length) if not offset else b""  # type: ignore[method-assign]

    async def run() -> None:
        async with client(node) as http:
            await http.get("/pools/p/nodes/n/files/f")

    with pytest.raises(ApiError, match="became shorter"):
        asyncio.run(run())


def test_a_file_that_cannot_be_read_is_no_answer_that_begins() -> None:
    node = Node("n", {"f": b"x" * 10})

    def read(path: str, offset: int, length: int) -> bytes:
        raise TreeError(404, "FileNotFound", "it may not be read")

    node.read = read  # type: ignore[method-assign]

    async def run() -> httpx.Response:
        async with client(node) as http:
            return await http.get("/pools/p/nodes/n/files/f")

    answer = asyncio.run(run())
    assert (answer.status_code, answer.json()["code"]) == (404, "FileNotFound")


def test_a_long_list_comes_whole() -> None:
    """Page by page, of a node that names a few entries at a time; whatever the filter leaves of them."""
    names = [f"{folder}/{number:03}" for folder in ("a", "b") for number in range(150)]
    node = Node("n", dict.fromkeys(names, b""), most=7)

    async def run(query: str) -> list[str]:
        found: list[str] = []
        async with client(node) as http:
            url: str | None = f"/pools/p/nodes/n/files?recursive=true&maxresults=10{query}"
            while url is not None:
                answer = (await http.get(url)).json()
                assert len(answer["value"]) <= 10
                found += [each["name"] for each in answer["value"]]
                url = answer.get("odata.nextLink")
        return found

    assert asyncio.run(run("")) == names
    assert asyncio.run(run("&$filter=startswith(name,'b/1')")) == [f"b/1{number:02}" for number in range(50)]
    assert asyncio.run(run("&$filter=name gt 'b/147' or name eq 'a/001'")) == ["a/001", "b/148", "b/149"]
    assert asyncio.run(run("&$filter=name eq 'a/001'")) == ["a/001"]
    assert asyncio.run(run("&$filter=startswith(name,'none/')")) == []


@pytest.mark.parametrize(("header", "status"), [("ocp-range", 200), ("Range", 206)])
@given(data=st.binary(max_size=100), first=st.integers(0, 120), last=st.integers(0, 120))
def test_every_range(header: str, status: int, data: bytes, first: int, last: int) -> None:
    async def run() -> httpx.Response:
        async with client(Node("n", {"f": data})) as http:
            return await http.get("/pools/p/nodes/n/files/f", headers={header: f"bytes={first}-{last}"})

    answer = asyncio.run(run())
    wanted = data[first : last + 1]
    assert (answer.status_code, answer.content) == (status, wanted) if wanted else answer.status_code == 416


@given(st.lists(st.sampled_from([b"a", b"bc", b"", b"\xff" * 70_000]), max_size=6), st.booleans(), st.integers(0, 8))
def test_the_last_lines(lines: list[bytes], ends: bool, count: int) -> None:
    data = b"\n".join(lines) + (b"\n" if ends else b"")
    wanted = data.splitlines(keepends=True)[-count:] if count else []
    assert data[start_of_last_lines(lambda at, length: data[at : at + length], len(data), count) :] == b"".join(wanted)


def test_what_was_kept_is_a_tree(tmp_path: Path) -> None:
    store = OutputStore(tmp_path)
    inline = Output(stream="stdout", size=5, data=b"hello")
    large = store.keep("e-1", "stderr", 4, lambda offset, length, file: file.write(b"oops"))  # type: ignore[arg-type]
    kept = Kept({"startup/stdout.txt": inline, "startup/stderr.txt": large}, store, 7.0, "it is gone")
    assert [(e.name, e.is_folder) for e in kept.entries("", False)[0]] == [("startup", True)]
    assert [(e.name, e.size) for e in kept.entries("startup", False)[0]] == [
        ("startup/stderr.txt", 4),
        ("startup/stdout.txt", 5),
    ]
    assert len(kept.entries("", True)[0]) == 2
    assert kept.read("startup/stdout.txt", 1, 3) == b"ell" and kept.read("startup/stderr.txt", 2, 9) == b"ps"
    with pytest.raises(TreeError, match="it is gone; kept of it: startup"):
        kept.entry("wd/x")

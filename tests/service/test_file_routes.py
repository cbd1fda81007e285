"""Files over HTTP, without nodes: what a slow one does to others, and a file that grows or shrinks while it is read."""

import asyncio
import threading
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette

from runner import Output, OutputStore
from service.file_routes import _Files
from service.file_trees import Entry, Kept, Tree, TreeError
from service.log_reader import _last_lines
from service.web_errors import HANDLERS

from .stage import PATIENCE

SLOW = 8


class Node:
    """Its files; `gate`: what it waits for before it answers anything."""

    execution: str | None = "e-1"

    def __init__(self, node_id: str, files: dict[str, bytes], gate: threading.Event | None = None) -> None:
        self.node_id: str | None = node_id
        self.files = files
        self.gate = gate
        self.asked = threading.Semaphore(0)

    def _wait(self) -> None:
        self.asked.release()
        if self.gate is not None:
            assert self.gate.wait(PATIENCE)

    def entries(self, folder: str, recursive: bool) -> list[Entry]:
        self._wait()
        return [self._entry(name) for name in sorted(self.files)]

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


def application(*nodes: Node) -> Starlette:
    def find(ids: Mapping[str, str]) -> Tree:
        return next(node for node in nodes if node.node_id == ids["node"])

    return Starlette(routes=_Files(find, "/nodes/{node}/files").routes(), exception_handlers=HANDLERS)


def client(*nodes: Node) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(application(*nodes)), base_url="http://test")


def test_nothing_is_kept_of_nodes_that_were_asked() -> None:
    nodes = {f"n{number}": Node(f"n{number}", {"f": b"text"}) for number in range(20)}
    files = _Files(lambda ids: nodes[ids["node"]], "/nodes/{node}/files")
    application = Starlette(routes=files.routes(), exception_handlers=HANDLERS)

    async def run() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://test") as http:
            for name in nodes:
                assert (await http.get(f"/nodes/{name}/files/f")).content == b"text"

    asyncio.run(run())
    assert len(files._limits) == 0


def test_a_node_that_does_not_answer_keeps_nobody_waiting() -> None:
    gate = threading.Event()
    slow = [Node(f"slow{n}", {"f": b"late"}, gate) for n in range(SLOW)]
    fast = Node("fast", {"f": b"soon"})

    async def run() -> None:
        async with client(*slow, fast) as http:
            # more than the threads that anybody has by default
            waiting = [asyncio.create_task(http.get(f"/nodes/{n.node_id}/files/f")) for n in slow for _ in range(10)]
            for node in slow:
                await asyncio.to_thread(node.asked.acquire)
            for _ in range(20):
                assert (await http.get("/nodes/fast/files/f")).content == b"soon"
            assert not any(task.done() for task in waiting)
            gate.set()
            assert {(await task).content for task in waiting} == {b"late"}

    asyncio.run(asyncio.wait_for(run(), PATIENCE))


def test_names_of_all_kinds() -> None:
    names = ["a b", "wd/ä", "100%", "wd/x?y#z", "it's", "new\nline"]
    node = Node("n", {name: name.encode() for name in names})

    async def run() -> None:
        async with client(node) as http:
            listed = (await http.get("/nodes/n/files")).json()["value"]
            for entry in listed:
                assert (await http.get(entry["url"])).text == entry["name"]
            quoted = await http.get("/nodes/n/files", params={"$filter": "startswith(name, 'it''s')"})
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
            assert (await http.get("/nodes/n/files/f")).content == b"x" * 10

    asyncio.run(run())


def test_a_file_that_shrinks_breaks_the_answer_off() -> None:
    node = Node("n", {"f": b"x" * 10})
    node.read = lambda path, offset, length: b""  # type: ignore[method-assign]

    async def run() -> None:
        async with client(node) as http:
            await http.get("/nodes/n/files/f")

    with pytest.raises(ConnectionError, match="became shorter"):
        asyncio.run(run())


@given(st.binary(max_size=100), st.integers(0, 120), st.integers(0, 120))
def test_every_range(data: bytes, first: int, last: int) -> None:
    async def run() -> httpx.Response:
        async with client(Node("n", {"f": data})) as http:
            return await http.get("/nodes/n/files/f", headers={"ocp-range": f"bytes={first}-{last}"})

    answer = asyncio.run(run())
    wanted = data[first : last + 1]
    assert (answer.status_code, answer.content) == (206, wanted) if wanted else answer.status_code == 416


@given(st.lists(st.sampled_from([b"a", b"bc", b"", b"\xff" * 70_000]), max_size=6), st.booleans(), st.integers(0, 8))
def test_the_last_lines(lines: list[bytes], ends: bool, count: int) -> None:
    data = b"\n".join(lines) + (b"\n" if ends else b"")
    wanted = data.splitlines(keepends=True)[-count:] if count else []
    assert data[_last_lines(lambda at, length: data[at : at + length], len(data), count) :] == b"".join(wanted)


def test_what_was_kept_is_a_tree(tmp_path: Path) -> None:
    store = OutputStore(tmp_path)
    inline = Output(stream="stdout", size=5, data=b"hello")
    large = store.keep("e-1", "stderr", 4, lambda offset, length, file: file.write(b"oops"))  # type: ignore[arg-type]
    kept = Kept({"startup/stdout.txt": inline, "startup/stderr.txt": large}, store, 7.0, "it is gone")
    assert [(e.name, e.is_folder) for e in kept.entries("", False)] == [("startup", True)]
    assert [(e.name, e.size) for e in kept.entries("startup", False)] == [
        ("startup/stderr.txt", 4),
        ("startup/stdout.txt", 5),
    ]
    assert len(kept.entries("", True)) == 2
    assert kept.read("startup/stdout.txt", 1, 3) == b"ell" and kept.read("startup/stderr.txt", 2, 9) == b"ps"
    with pytest.raises(TreeError, match="it is gone; kept of it: startup"):
        kept.entry("wd/x")

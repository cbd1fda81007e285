"""Large outputs on their way in: what stands in the way of one is waited for, and loses nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from runner import OutputStore, node_outcomes
from runner.events import Event, ExecutionEnded, Outcome
from runner.link_errors import FileMissing, LinkError, Unreachable
from runner.node_outcomes import AT_A_TIME, NodeOutcomes

from .link import Recorder
from .node import wait_until

SIZE = 100_000
BUSY = LinkError("workitems/j/job-1/t/stdout.txt: [Errno 23] Too many open files in system")
GONE = FileMissing("there is no 'workitems/j/job-1/t/stdout.txt' on the node")
CUT = Unreachable("the transfer broke off")


class Node(Recorder):
    """Its link, whose fetches fail as told; `faults` by the end of the path, None: for ever."""

    def __init__(self, store: OutputStore) -> None:
        super().__init__()
        self.faults: dict[str, list[Exception] | None] = {}
        self.asked: list[str] = []
        self.posted: list[Event] = []
        self.closed = threading.Event()
        self.threads: list[threading.Thread] = []
        self.outcomes = NodeOutcomes("n", store, self.posted.append, self._in_thread, lambda: self, self.closed)

    def _in_thread(self, work: Callable[[], None]) -> None:
        self.threads.append(threading.Thread(target=work))
        self.threads[-1].start()

    def fetch(self, path: str, offset: int, length: int, into: BinaryIO) -> None:  # type: ignore[override]
        self.asked.append(path)
        for end, faults in self.faults.items():
            if path.endswith(end):
                if faults is None:
                    raise BUSY
                if faults:
                    raise faults.pop()
        into.write(b"x" * length)

    def ends(self, name: str, stdout: int = SIZE, stderr: int = 0) -> None:
        streams = {"stdout": stdout, "stderr": stderr}
        message: dict[str, Any] = {
            stream: {"size": size} if size else {"size": 0, "text": ""} for stream, size in streams.items()
        }
        message |= {"id": f"{name}-1", "dir": f"workitems/j/job-1/{name}", "start": 1.0, "end": 2.0, "exit": 0}
        message |= {"signal": None, "killed": False, "timeout": False, "error": None}
        self.outcomes.finished(message)

    def told(self, name: str) -> Outcome | None:
        found = (each for each in list(self.posted) if isinstance(each, Outcome) and each.execution_id == f"{name}-1")
        return next(found, None)

    def wait(self, name: str) -> Outcome:
        found: Outcome = wait_until(lambda: self.told(name))
        return found

    def close(self) -> None:
        self.closed.set()
        for thread in self.threads:
            thread.join(10)
            assert not thread.is_alive()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_outcomes, "STORE_RETRY", 0.01)
    monkeypatch.setattr(node_outcomes, "STORE_RETRY_MAX", 0.02)


@pytest.fixture
def store(tmp_path: Path) -> OutputStore:
    return OutputStore(tmp_path)


@pytest.fixture
def node(store: OutputStore) -> Iterator[Node]:
    node = Node(store)
    yield node
    node.close()


@pytest.mark.parametrize("fault", [BUSY, CUT, OSError(28, "No space left on device")])
def test_what_passes_is_waited_for(node: Node, store: OutputStore, fault: Exception) -> None:
    node.faults["/stdout.txt"] = [fault] * 20
    node.ends("t")
    (output,) = (each for each in node.wait("t").outputs if each.stream == "stdout")
    assert (output.size, sum(map(len, store.read(output)))) == (SIZE, SIZE)
    assert [type(each) for each in node.posted] == [ExecutionEnded, Outcome]


def test_what_is_gone_is_not_said_to_be_empty(node: Node, store: OutputStore) -> None:
    node.faults["/stdout.txt"] = [GONE]
    node.ends("t", stderr=SIZE)
    (output,) = node.wait("t").outputs
    assert (output.stream, store.kept(output)) == ("stderr", SIZE)


def test_one_that_cannot_be_had_keeps_no_other_waiting(node: Node) -> None:
    names = [f"t{number}" for number in range(4 * AT_A_TIME)]
    broken = names[: 2 * AT_A_TIME]
    node.faults |= {f"/{name}/stdout.txt": None for name in broken}
    for name in names:
        node.ends(name)
    for name in names[2 * AT_A_TIME :]:
        node.wait(name)
    assert not any(node.told(name) for name in broken)
    wait_until(lambda: sum(thread.is_alive() for thread in node.threads) == 1)  # they are those of all nodes
    node.faults.clear()
    for name in broken:
        node.wait(name)
    assert sum(isinstance(each, Outcome) for each in node.posted) == len(names)


def test_a_repeated_word_of_it_changes_nothing(node: Node) -> None:
    node.faults["/stdout.txt"] = None
    node.ends("t")
    wait_until(lambda: len(node.asked) > 1)
    node.ends("t")
    node.faults.clear()
    node.wait("t")
    node.close()
    assert [type(each) for each in node.posted] == [ExecutionEnded, Outcome]


# -- files that no record names yet


def test_a_file_awaits_its_record_until_that_is_settled(node: Node, store: OutputStore) -> None:
    node.faults["/stderr.txt"] = None
    node.ends("t", stderr=SIZE)
    wait_until(lambda: node.asked.count("workitems/j/job-1/t/stderr.txt") > 2)
    assert store.awaits_record("t-1.stdout"), "stderr is waited for"
    node.faults.clear()
    node.wait("t")
    assert store.awaits_record("t-1.stdout") and store.awaits_record("t-1.stderr")
    store.settled(["other-1"])
    assert store.awaits_record("t-1.stdout")
    store.settled(["t-1"])
    assert not store.awaits_record("t-1.stdout") and not store.awaits_record("t-1.stderr")


def test_what_a_connection_brought_and_did_not_report_is_awaited_no_more(node: Node, store: OutputStore) -> None:
    node.faults["/stderr.txt"] = None
    node.ends("t", stderr=SIZE)
    wait_until(lambda: store.awaits_record("t-1.stdout"))
    node.close()
    assert not store.awaits_record("t-1.stdout") and node.told("t") is None


def test_what_the_next_connection_brings_too_is_still_awaited(node: Node, store: OutputStore) -> None:
    node.faults["/stderr.txt"] = None
    node.ends("t", stderr=SIZE)
    wait_until(lambda: store.awaits_record("t-1.stdout"))
    following = Node(store)
    following.ends("t", stderr=SIZE)
    outputs = following.wait("t").outputs
    node.close()
    assert all(store.awaits_record(str(each.file)) for each in outputs) and len(outputs) == 2
    following.close()

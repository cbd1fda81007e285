import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.agent import transfer

from .link import ears, provider, vm
from .node import Node
from .raw_server import Reply, Server

__all__ = ["ears", "node", "provider", "vm"]

_numbers = itertools.count()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    # A long path: a Unix socket could not be bound by it.
    root = tmp_path / ("a node's root é " + "x" * 60)
    node = Node(root, f"agent-test-{os.getpid()}-{next(_numbers)}")
    yield node
    node.end()


@pytest.fixture
def open_node() -> Iterator[Node]:
    """One whose root other users may go through, as they may on a machine of its own."""
    if os.getuid():
        pytest.skip("only root can become other users")
    base = Path(tempfile.mkdtemp(prefix="ebbtide-node-", dir="/tmp"))
    base.chmod(0o755)
    node = Node(base / "node's root", f"agent-test-{os.getpid()}-{next(_numbers)}")
    yield node
    node.end()
    shutil.rmtree(base)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def begin(*answers: Reply) -> Server:
        servers.append(Server(*answers))
        return servers[-1]

    yield begin
    for server in servers:
        server.close()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """`transfer` in this process waits for nothing, tries once, and knows no proxies."""
    monkeypatch.setattr(transfer, "PAUSE", 0.001)
    monkeypatch.setattr(transfer, "TRIES", 1)
    for name in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)

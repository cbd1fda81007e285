import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .link import ears, provider, vm
from .node import Node

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

import itertools
import os
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

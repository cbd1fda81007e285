"""Both object stores."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from runner import LocalStore, ObjectStore

from . import s3
from .door import Door, running
from .modes import Task

_NUMBERS = count()


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    with s3.running() as endpoint:
        yield endpoint


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """An empty one."""
    if request.param == "local":
        return LocalStore(tmp_path / "storage")
    return s3.store(request.getfixturevalue("s3_endpoint"), f"test-{next(_NUMBERS)}")


@pytest.fixture
def door(store: ObjectStore) -> Iterator[Door]:
    with running(store) as found:
        yield found


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return Task(tmp_path / "task")

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from tests.end_to_end.world import FAST, World

from .stage import Stage
from .web import web_server

GRACE = timedelta(seconds=0.5)


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    # where other users may go too, which a test's own folder does not let them
    base = Path(tempfile.mkdtemp(prefix="ebbtide-conformance-", dir="/tmp"))
    base.chmod(0o755)
    (base / "nodes").mkdir(mode=0o755)
    places = {"local": {"baseDir": str(base / "nodes")}}
    settings = msgspec.structs.replace(FAST, task_grace_period=GRACE, providers=places)
    try:
        with web_server() as web, World(base / "state", settings) as world:
            yield Stage(world, web, base)
    finally:
        shutil.rmtree(base, ignore_errors=True)

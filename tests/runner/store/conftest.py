"""Every test that asks for `url` or `journal` runs on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runner import Journal, open_journal

from .postgresql import Cluster, Missing, cluster


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    try:
        with cluster() as running:
            yield running
    except Missing as why:
        pytest.skip(str(why))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ebbtide.db"
    running: Cluster = request.getfixturevalue("postgresql")
    return running.new_database()


@pytest.fixture
def journal(url: str) -> Iterator[Journal]:
    opened = open_journal(url)
    yield opened
    opened.close()

"""A rig for each test."""

from collections.abc import Iterator

import pytest

from tests.rig import CloudRig


@pytest.fixture
def rig() -> Iterator[CloudRig]:
    with CloudRig(hosts=False) as rig:
        yield rig
        assert rig.mishaps == []

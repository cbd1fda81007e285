from collections.abc import Iterator
from pathlib import Path
from typing import cast

import paramiko
import pytest

from ..clouds.static import StaticCloud
from ..conftest import opened


@pytest.fixture
def static(tmp_path: Path, key: paramiko.PKey) -> Iterator[StaticCloud]:
    yield from cast(Iterator[StaticCloud], opened("static", tmp_path, key))

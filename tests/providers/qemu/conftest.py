"""A cloud of real VMs."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import paramiko
import pytest

from ..clouds.qemu import QemuCloud
from ..conftest import opened


@pytest.fixture
def qemu(tmp_path: Path, key: paramiko.PKey) -> Iterator[QemuCloud]:
    yield from cast(Iterator[QemuCloud], opened("qemu", tmp_path, key))

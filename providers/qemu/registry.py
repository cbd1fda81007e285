"""The VMs of one base directory, kept as local nodes are."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from ..local.registry import Registry
from .machine import last_words


class VmRegistry(Registry):
    folders: ClassVar[tuple[str, ...]] = ()

    def epitaph(self, path: Path) -> str:
        return f"the VM has ended (switched off, or its qemu was killed); {last_words(path)}"

"""An initial RAM disk, put together in memory: no root, no device files, no cpio program."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

_DIRECTORY, _FILE, _LINK = 0o040755, 0o100644, 0o120777


class Initramfs:
    """Paths are without a leading slash."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[int, bytes]] = {}

    def folder(self, path: str) -> None:
        self._add(path, _DIRECTORY, b"")

    def file(self, path: str, data: bytes | str, mode: int = 0o644) -> None:
        self._add(path, _FILE & ~0o777 | mode, data.encode() if isinstance(data, str) else data)

    def link(self, path: str, target: str) -> None:
        self._add(path, _LINK, target.encode())

    def program(self, path: str) -> None:
        """A program of this machine, with the libraries that it needs."""
        self.file(path.lstrip("/"), Path(path).read_bytes(), 0o755)
        listed = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
        for library in re.findall(r"(/\S+) \(0x", listed):
            self.file(library.lstrip("/"), Path(library).read_bytes(), 0o755)

    def _add(self, path: str, mode: int, data: bytes) -> None:
        parent = path.rpartition("/")[0]
        if parent and parent not in self._entries:
            self.folder(parent)
        self._entries[path] = (mode, data)

    def archive(self) -> bytes:
        """In cpio's newc format, as the kernel wants it."""
        items = [*self._entries.items(), ("TRAILER!!!", (0, b""))]
        return b"".join(_entry(number, path, *entry) for number, (path, entry) in enumerate(items, 1))


def _entry(number: int, path: str, mode: int, data: bytes) -> bytes:
    name = path.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _padded(head + name) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


def in_order(modules: Path, names: list[str]) -> list[Path]:
    """The kernel modules of these names and those that they need, each after what it needs; what is built into the
    kernel is left out."""
    files = {file.stem.replace("_", "-"): file for file in modules.rglob("*.ko")}
    ordered: list[Path] = []

    def need(name: str) -> None:
        file = files.get(name.replace("_", "-"))
        if file is None or file in ordered:
            return
        found = re.search(rb"\0depends=([^\0]*)\0", b"\0" + file.read_bytes())
        for other in found.group(1).decode().split(",") if found else ():
            need(other)
        ordered.append(file)

    for name in names:
        need(name)
    return ordered

"""`python -m tests.chaos.controller ...`: `ebbtide ...`, with every local node behind a proxy that its caller cuts, and
on a small disk of its own.

EBBTIDE_CHAOS_NETWORK: a Unix socket that tells which port leads to a node's. EBBTIDE_CHAOS_DISK: bytes, 0 for none.
"""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path
from typing import Any

from providers.local import driver, machine_driver, registry
from service.cli import main

NETWORK, DISK = "EBBTIDE_CHAOS_NETWORK", "EBBTIDE_CHAOS_DISK"


def port_before(port: int) -> int:
    with socket.socket(socket.AF_UNIX) as asked:
        asked.connect(os.environ[NETWORK])
        asked.sendall(b"%d\n" % port)
        return int(asked.makefile().readline())


def give_disk(path: Path) -> None:
    """Before the node of this folder starts."""
    root, size = path / "root", os.environ.get(DISK, "0")
    path.chmod(0o755)  # other users go through it
    if size != "0" and not os.path.ismount(root):
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "ebbtide-chaos", root], check=True)


def take_disk(path: Path) -> None:
    """Lazily: somebody may be looking at it."""
    if os.path.ismount(path / "root"):
        subprocess.run(["umount", "--lazy", path / "root"], check=True)


def _through_proxy() -> None:
    node, ports = machine_driver.MachineDriver._node, dict[int, int]()

    def proxied(self: Any, entry: registry.Entry) -> Any:
        found = node(self, entry)
        port = found.extra["port"]
        if port is not None:
            if port not in ports:
                ports[port] = port_before(port)
            found.extra["port"] = ports[port]
        return found

    machine_driver.MachineDriver._node = proxied  # type: ignore[method-assign]


def _on_disks() -> None:
    spawn, remove = driver.spawn, registry._remove_tree  # type: ignore[attr-defined]

    def spawn_on_disk(path: Path, name: str, within: float) -> None:
        give_disk(path)
        spawn(path, name, within)

    def remove_disk(path: Path) -> None:
        take_disk(path)
        remove(path)

    driver.spawn = spawn_on_disk  # type: ignore[attr-defined]
    registry._remove_tree = remove_disk


if __name__ == "__main__":
    _through_proxy()
    _on_disks()
    main()

"""Finding the qemu that a controller had started which did not live to see it run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from providers.processes import MARKER
from providers.qemu import machine
from providers.qemu.accelerator import Accelerator
from providers.qemu.machine import Guest
from providers.qemu.settings import GuestImage, GuestSize

#: as qemu does: the port first; standard error is let go when nothing can fail any more
LIKE_QEMU = """
import os, socket
with socket.create_server(("127.0.0.1", 0)) as server:
    print("has a port", flush=True)
    if input() == "go on":
        os.dup2(os.open(os.devnull, os.O_RDWR), 2)
        print("in the background", flush=True)
        input()
"""


@pytest.fixture
def guest() -> Guest:
    size, image = GuestSize(1, 128), GuestImage(kernel=Path("/vmlinuz"))
    return Guest("d-n1", image, size, "#!/bin/sh", Accelerator("tcg", ""), True, "ebbtide", "ssh-ed25519 AAAA")


def test_one_that_may_yet_fail_is_not_taken_for_the_vm(tmp_path: Path, guest: Guest) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", LIKE_QEMU],
        env={MARKER: guest.name},
        text=True,
        bufsize=1,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        (tmp_path / "qemu.pid").write_text(f"{process.pid}\n")
        assert process.stdout.readline() == "has a port\n"
        assert machine._running(tmp_path, guest) is None
        process.stdin.write("go on\n")
        assert process.stdout.readline() == "in the background\n"
        found = machine._running(tmp_path, guest)
        assert found is not None and found.pid == process.pid and found.port

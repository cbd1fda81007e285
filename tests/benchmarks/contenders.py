"""Other ways to run a command so many times, two at a time. Each returns how long it took.

All run real processes and look at every exit code. What starts only once (interpreters, connections) is not
counted.
"""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import paramiko

from .cpu import Measured, Stopwatch
from .openssh import Server
from .product import COMMAND, SLOTS

TIMEOUT = 400.0

_SPAWNER = """
import os, sys, time
count, slots, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
started = running = 0
begin = time.perf_counter()
while started < count or running:
    while running < slots and started < count:
        os.posix_spawn(program, [program], os.environ)
        started, running = started + 1, running + 1
    if os.wait()[1]:
        sys.exit("a process failed")
    running -= 1
print(time.perf_counter() - begin)
"""


def _program() -> str:
    return next(path for path in ("/bin/true", "/usr/bin/true") if os.path.exists(path))


def posix_spawn(count: int, folder: Path) -> Measured:
    """A Python process that starts them by posix_spawn and waits for them."""
    command = [sys.executable, "-I", "-S", "-c", _SPAWNER, str(count), str(SLOTS), _program()]
    watch = Stopwatch()
    done = subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT, cwd=folder)
    return Measured(float(done.stdout), watch.stop().cpu)


def xargs(count: int, folder: Path) -> Measured:
    return _xargs(count, folder, [_program()])


def _xargs(count: int, folder: Path, command: list[str]) -> Measured:
    # -I with a word that does not occur: no argument is appended. With one, `true` would load the locale.
    lines = b"".join(b"%d\n" % number for number in range(count))
    watch = Stopwatch()
    subprocess.run(
        ["xargs", f"-P{SLOTS}", "-I=", *command],
        input=lines,
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=TIMEOUT,
        cwd=folder,
    )
    return watch.stop()


def control_master(server: Server, count: int, folder: Path) -> Measured:
    """An OpenSSH client for each command, all over the one connection of a ControlMaster."""
    return _xargs(count, folder, server.ssh(COMMAND))


def folders(count: int, folder: Path) -> Measured:
    """No command at all: only the two folders and two files that a task has, made one after another."""
    folder.mkdir()
    watch = Stopwatch()
    for number in range(count):
        task = f"{folder}/t{number}"
        os.mkdir(task)
        os.mkdir(f"{task}/wd")
        for stream in ("stdout", "stderr"):
            os.close(os.open(f"{task}/{stream}.txt", os.O_WRONLY | os.O_CREAT))
    return watch.stop()


def paramiko_channels(server: Server, count: int) -> Measured:
    """A paramiko channel for each command, on one connection with TCP_NODELAY."""
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=TIMEOUT)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    transport = paramiko.Transport(sock)
    try:
        transport.connect(
            paramiko.Ed25519Key(data=base64.b64decode(server.host_key.split()[1])),
            server.user,
            pkey=paramiko.Ed25519Key.from_private_key_file(str(server.key)),
        )
        todo = iter(range(count))
        lock = threading.Lock()

        def work() -> None:
            while True:
                with lock:
                    if next(todo, None) is None:
                        return
                channel = transport.open_session(timeout=TIMEOUT)
                channel.exec_command(COMMAND)
                if channel.recv_exit_status():
                    raise RuntimeError("a command failed")
                channel.close()

        with ThreadPoolExecutor(SLOTS) as executor:
            watch = Stopwatch()
            for done in [executor.submit(work) for _ in range(SLOTS)]:
                done.result(TIMEOUT)
            return watch.stop()
    finally:
        transport.close()
        transport.join(TIMEOUT)

"""Other ways to run a command so many times, two at a time. Each returns how long it took.

All run real processes and look at every exit code. What starts only once (interpreters, connections) is not
counted.
"""

from __future__ import annotations

import base64
import os
import shlex
import shutil
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import paramiko

from .cpu import Measured, Stopwatch
from .openssh import Missing, Server
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


#: What the whole product's agent is measured beside: it reads lines, starts a process for each, answers with its exit
#: code. Nothing is checked, kept or survives it.
_BARE_AGENT = """
import os, select, signal, sys
slots, program = int(sys.argv[1]), sys.argv[2]
wake, woken = os.pipe()
os.set_blocking(woken, False)
signal.signal(signal.SIGCHLD, lambda *_: None)
signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
poll = select.poll()
poll.register(0, select.POLLIN)
poll.register(wake, select.POLLIN)
waiting, running, rest = [], {}, b""
while True:
    said = []
    for fd, _ in poll.poll():
        data = os.read(fd, 65536)
        if fd == 0:
            if not data:
                sys.exit()
            *lines, rest = (rest + data).split(b"\\n")
            waiting += lines
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            break
        said.append(b"%s %d\\n" % (running.pop(pid), status))
    while waiting and len(running) < slots:
        running[os.posix_spawn(program, [program], os.environ)] = waiting.pop(0)
    if said:
        os.write(1, b"".join(said))
"""


def program() -> str:
    """The command's file."""
    return next(path for path in ("/bin/true", "/usr/bin/true") if os.path.exists(path))


class CSpawner:
    """A C program that does the same: what this machine can do at best."""

    def __init__(self, folder: Path) -> None:
        """Raises Missing if it cannot be compiled."""
        compiler = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)
        if compiler is None:
            raise Missing("there is no C compiler here; on Debian and Ubuntu: apt-get install gcc libc6-dev")
        self._folder = folder
        self._path = folder / "bare_spawn"
        command = [compiler, "-O2", "-o", str(self._path), str(Path(__file__).with_name("bare_spawn.c"))]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Missing(f"bare_spawn.c cannot be compiled (apt-get install libc6-dev?): {done.stderr[-200:]}")

    def __call__(self, count: int) -> Measured:
        command = [str(self._path), str(count), str(SLOTS), program()]
        watch = Stopwatch()
        done = subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT, cwd=self._folder)
        return Measured(float(done.stdout), watch.stop().cpu)


def posix_spawn(count: int, folder: Path) -> Measured:
    """A Python process that starts them by posix_spawn and waits for them."""
    command = [sys.executable, "-I", "-S", "-c", _SPAWNER, str(count), str(SLOTS), program()]
    watch = Stopwatch()
    done = subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT, cwd=folder)
    return Measured(float(done.stdout), watch.stop().cpu)


def xargs(count: int, folder: Path) -> Measured:
    return _xargs(count, folder, [program()])


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


def bare_agent(server: Server, count: int) -> Measured:
    """One channel of the ControlMaster, with an agent at its end that only starts processes."""
    script = shlex.join(["python3", "-I", "-S", "-c", _BARE_AGENT, str(SLOTS), program()])
    pipe = subprocess.PIPE
    with subprocess.Popen(server.ssh(script), stdin=pipe, stdout=pipe) as agent:
        assert agent.stdin is not None and agent.stdout is not None
        _ask(agent.stdin, agent.stdout, SLOTS)
        watch = Stopwatch()
        _ask(agent.stdin, agent.stdout, count)
        taken = watch.stop()
        agent.stdin.close()
    return taken


def _ask(stdin: IO[bytes], stdout: IO[bytes], count: int) -> None:
    """A thread asks, as otherwise both sides could wait for room in their pipes."""
    lines = b"".join(b"%d\n" % number for number in range(count))

    def write() -> None:
        stdin.write(lines)
        stdin.flush()

    with ThreadPoolExecutor(1) as executor:
        asked = executor.submit(write)
        codes = [int(stdout.readline().split()[1]) for _ in range(count)]
        asked.result(TIMEOUT)
    if any(codes):
        raise RuntimeError("a command failed")


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

"""Starting a local node process so that it outlives whoever starts it."""

from __future__ import annotations

import errno
import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path

from ..errors import CapacityError, ProviderError, TransientError
from ..processes import MARKER
from .record import LOG_FILE

_KEPT = (
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LD_LIBRARY_PATH",
    "PATH",
    "PYTHONPATH",
    "TMPDIR",
    "TZ",
    "USER",
)
"""What a node takes from the controller's environment: enough to run Python and tools, no credentials."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN)


def refused(exc: OSError, doing: str) -> ProviderError:
    """The typed error for a machine that does not let us."""
    if exc.errno in _FULL:
        return CapacityError(
            f"{doing}: {exc.strerror} ({exc.filename or 'this machine'}); make room, or use fewer nodes"
        )
    return ProviderError(f"{doing}: {exc}; the base directory must be writable for this user")


def spawn(path: Path, name: str, within: float) -> None:
    """Start the node process of the VM directory `path`, and wait until it listens.

    Starting a second one is harmless: it finds the first one's lock, says so and ends. After `within`
    seconds, or if the process vanishes because the VM is being destroyed, the caller finds on disk how far it
    came. Raises CapacityError, ProviderError if the process says why it cannot start, TransientError if it
    dies silently.
    """
    reader, writer = os.pipe()
    try:
        with open(os.open(path / LOG_FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "ab") as log:
            # The shell leaves at once, so that the node is nobody's child here: it can never be our zombie.
            subprocess.run(
                [
                    "/bin/sh",
                    "-c",
                    '"$@" &',
                    "sh",
                    sys.executable,
                    "-P",
                    "-m",
                    "providers.local.node",
                    str(path),
                ],
                cwd="/",
                env=_environment(name),
                stdin=subprocess.DEVNULL,
                stdout=writer,
                stderr=log,
                start_new_session=True,
                check=True,
            )
        os.close(writer)
        writer = -1
        answer = _first_line(reader, time.monotonic() + within)
    except subprocess.CalledProcessError as exc:
        raise TransientError(f"VM {name}: the node process could not be started: {exc}") from exc
    finally:
        os.close(reader)
        if writer >= 0:
            os.close(writer)
    _judge(answer, path, name)


def _judge(answer: bytes | None, path: Path, name: str) -> None:
    if answer is None or not path.exists():
        return
    if not answer:
        raise TransientError(
            f"VM {name}: the node process ended before it listened; see {path / LOG_FILE}: {_tail(path)}"
        )
    said = json.loads(answer)
    if "errno" in said:
        raise refused(OSError(said["errno"], said["error"], said.get("file")), f"VM {name}: starting the node process")


def _tail(path: Path) -> str:
    try:
        return (path / LOG_FILE).read_text(encoding="utf-8", errors="replace").strip()[-500:]
    except OSError as exc:
        return str(exc)


def _environment(name: str) -> dict[str, str]:
    kept = {key: os.environ[key] for key in _KEPT if key in os.environ}
    package_home = Path(__file__).resolve().parents[2]
    if package_home.name not in ("site-packages", "dist-packages"):  # a checkout: the child must find it too
        others = kept.get("PYTHONPATH")
        kept["PYTHONPATH"] = f"{package_home}{os.pathsep}{others}" if others else str(package_home)
    return {**kept, MARKER: name}


def _first_line(fd: int, deadline: float) -> bytes | None:
    """What the process says first; empty if it ended without a word, None if it is still silent at the
    deadline.
    """
    text = b""
    while not text.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            return None
        data = os.read(fd, 65536)
        if not data:
            return b""
        text += data
    return text

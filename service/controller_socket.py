"""The Unix socket of a running controller: STATE/controller.sock, which only its user may open."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

NAME = "controller.sock"
#: Bytes that the path of a socket may have everywhere (macOS: 104 with the NUL, Linux: 108).
_LONGEST = 100


@contextmanager
def short_path(directory: Path) -> Iterator[str]:
    """A path of the directory's socket that the system takes: a long one through a link that lives as long as this."""
    path = str(directory.absolute() / NAME)
    if len(os.fsencode(path)) <= _LONGEST:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="ebbtide-", dir="/tmp") as folder:
        link = Path(folder) / "state"
        link.symlink_to(directory.absolute())
        yield str(link / NAME)


def listen(directory: Path) -> socket.socket:
    """Listen there, in place of a controller that has gone. Hold the state's lock. Raises OSError."""
    (directory / NAME).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    try:
        with short_path(directory) as path:
            # nobody can connect before it listens
            listener.bind(path)
        os.chmod(directory / NAME, 0o600)
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


@contextmanager
def client(directory: Path, timeout: float = 30.0) -> Iterator[httpx.Client]:
    """Speaks to the running controller of the state: `client.get("/health")`. `timeout`: seconds without a word.

    Raises httpx.ConnectError if no controller runs; so do requests after it has ended.
    """
    import httpx

    with short_path(directory) as path:
        with socket.socket(socket.AF_UNIX) as knocking:
            try:
                knocking.connect(path)
            except OSError as error:
                raise httpx.ConnectError(f"no controller works on the state {directory}: {error}") from error
        transport = httpx.HTTPTransport(uds=path)
        with httpx.Client(transport=transport, base_url="http://controller", timeout=timeout) as opened:
            yield opened

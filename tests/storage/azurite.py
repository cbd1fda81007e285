"""Azurite, Microsoft's emulator of Azure Storage, as npm has it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

#: Azurite's own, printed in its documentation.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
PACKAGE = "azurite@3.35.0"
#: An installation that is there already, say in CI's cache.
INSTALLED = "EBBTIDE_TEST_AZURITE"


class Unavailable(Exception):
    """Why it cannot be had here."""


@dataclass(frozen=True)
class Azurite:
    base: str

    def sas(self, container: str, permissions: str) -> str:
        """The address of the container with a service SAS, signed as Azure's documentation has it."""
        fields = {"sv": "2021-08-06", "sr": "c", "sp": permissions, "se": "2099-01-01T00:00:00Z", "spr": "https,http"}
        resource = f"/blob/{ACCOUNT}/{container}"
        parts = [fields["sp"], "", fields["se"], resource, "", "", fields["spr"], fields["sv"], "c", *[""] * 7]
        signature = hmac.digest(base64.b64decode(KEY), "\n".join(parts).encode(), hashlib.sha256)
        query = urlencode(fields | {"sig": base64.b64encode(signature).decode()})
        return f"{self.base}/{ACCOUNT}/{container}?{query}"

    def create(self, container: str) -> None:
        """By an account SAS."""
        fields = {"sv": "2021-08-06", "ss": "b", "srt": "c", "sp": "c", "se": "2099-01-01T00:00:00Z"}
        text = "\n".join([ACCOUNT, "c", "b", "c", "", fields["se"], "", "", fields["sv"], "", ""])
        signature = hmac.digest(base64.b64decode(KEY), text.encode(), hashlib.sha256)
        query = urlencode(fields | {"sig": base64.b64encode(signature).decode()})
        url = f"{self.base}/{ACCOUNT}/{container}?restype=container&{query}"
        urllib.request.urlopen(urllib.request.Request(url, method="PUT", data=b""), timeout=30).close()


def program(directory: Path) -> Path:
    """Raises Unavailable."""
    given = os.environ.get(INSTALLED)
    if given:
        return Path(given) / "node_modules" / ".bin" / "azurite-blob"
    if shutil.which("npm") is None:
        raise Unavailable("npm is not here to install Azurite with")
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE]
    try:
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=300, check=False)
    except subprocess.TimeoutExpired:
        raise Unavailable("npm did not install Azurite in five minutes") from None
    if done.returncode:
        raise Unavailable(f"npm cannot install Azurite: {done.stderr[-300:]}")
    return directory / "node_modules" / ".bin" / "azurite-blob"


@contextmanager
def running(directory: Path) -> Iterator[Azurite]:
    """Raises Unavailable."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(program(directory)), "--blobPort", str(port), "--blobHost", "127.0.0.1", "--silent"]
    command += ["--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck"]
    with subprocess.Popen(command, cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            found = Azurite(f"http://127.0.0.1:{port}")
            _wait(found.base, process)
            yield found
        finally:
            process.terminate()


def _wait(base: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(base, timeout=5).close()
            return
        except urllib.error.HTTPError:
            return  # it answers
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                raise Unavailable("Azurite does not start") from None
            time.sleep(0.1)

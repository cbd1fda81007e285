"""`ebbtide serve` as a process of its own, and requests signed with a key."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from email.utils import formatdate
from pathlib import Path
from typing import Any

import httpx

from runner import signature
from service.cli import main

COMMAND = (sys.executable, "-m", "service")
#: Seconds in which anything must have happened, also on a machine that is busy with other things.
PATIENCE = 120.0
VERSION = "2025-06-01"


class Served:
    """A server on a free port. What it prints is in `out` and `err`."""

    def __init__(
        self,
        directory: Path,
        *words: str,
        command: Sequence[str] = COMMAND,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.state = directory / "state"
        self._client: httpx.Client | None = None
        self._out, self._err = directory / "out.txt", directory / "err.txt"
        # what a file holds is there at once, and a pipe would fill
        with open(self._out, "w") as out, open(self._err, "w") as err:
            self.process = subprocess.Popen(
                [*command, "serve", "--listen", "127.0.0.1:0", *words, "--state", str(self.state)],
                stdout=out, stderr=err, env={**os.environ, **(environment or {})},
            )  # fmt: skip

    @property
    def out(self) -> str:
        return self._out.read_text()

    @property
    def err(self) -> str:
        return self._err.read_text()

    def ready(self) -> Served:
        self.until("what a client needs|export ")
        return self

    def until(self, pattern: str) -> str:
        """What it prints that is so."""
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.out + self.err)):
            assert self.process.poll() is None, f"it has ended: {self.process.returncode} {self.err}"
            assert time.monotonic() < deadline, f"waited in vain for {pattern}: {self.err}"
            time.sleep(0.02)
        return found[0]

    def end(self, *numbers: int) -> int:
        """Signals, one after the other; the exit code."""
        for number in numbers or (signal.SIGTERM,):
            self.process.send_signal(number)
            if len(numbers) > 1:
                self.until("once more to leave")
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @property
    def url(self) -> str:
        return re.findall(r"serving (?:\S+ at )?(https?://\S+)", self.err)[-1]

    @property
    def lines(self) -> dict[str, str]:
        """What it told a client's shell."""
        return exported(self.out)

    def client(self) -> httpx.Client:
        """Kept until the end."""
        if self._client is None:
            bundle = self.state / "certificate.pem"
            trusted: Any = ssl.create_default_context(cafile=str(bundle)) if bundle.exists() else True
            self._client = httpx.Client(base_url=self.url, verify=trusted, timeout=PATIENCE, trust_env=False)
        return self._client

    def ask(
        self, method: str, path: str, account: str, key: str, *, content: bytes | None = None, **headers: str
    ) -> httpx.Response:
        client = self.client()
        return client.send(signed(client, method, path, account, key, content=content, **headers))


def signed(
    client: httpx.Client,
    method: str,
    path: str,
    account: str,
    key: str,
    *,
    content: bytes | None = None,
    date: str | None = None,
    **headers: str,
) -> httpx.Request:
    """`path` with its query, but for the api-version. `headers`: `_` for `-`."""
    path += f"{'&' if '?' in path else '?'}api-version={VERSION}"
    date = formatdate(time.time(), usegmt=True) if date is None else date
    given = {"ocp-date": date, **{name.replace("_", "-"): value for name, value in headers.items()}}
    if content is not None:
        given["content-type"] = "application/json; odata=minimalmetadata"
    request = client.build_request(method, path, content=content, headers=given)
    raw, _, query = request.url.raw_path.decode().partition("?")
    found = {name.lower(): value for name, value in request.headers.items()}
    request.headers["authorization"] = f"SharedKey {account}:{signature(key, account, method, raw, query, found)}"
    return request


def exported(text: str) -> dict[str, str]:
    """The variables of the last line that a shell is to be told."""
    (line,) = re.findall(r"^export (.+)$", text, flags=re.M)[-1:]
    pairs: dict[str, str] = dict(word.partition("=")[::2] for word in shlex.split(line))
    return pairs


def ebbtide(*words: str, state: Path) -> subprocess.CompletedProcess[str]:
    """A command, in this process, which has loaded it."""
    code: Any = 0
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        try:
            main([*words, "--state", str(state)])
        except SystemExit as end:
            code = end.code
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())

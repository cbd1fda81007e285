"""A headless Chromium that shows one page: driven over two pipes, in the Chrome DevTools Protocol (messages are JSON,
each ended by a zero byte: chromedevtools.github.io/devtools-protocol, `--remote-debugging-pipe`)."""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import signal
import sys
from base64 import b64decode
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any, Self

_NAMES = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "chrome-headless-shell"),
    *("microsoft-edge", "microsoft-edge-stable", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
)
#: Seconds that an answer may take: a page of a year takes a few on a slow machine.
_PATIENCE = 120.0
#: Seconds that a browser may take to be there. Once in a while one hangs as it starts; another one does not.
_PATIENCE_AT_START = 30.0
_STARTS = 3
#: Where the browser looks for its pipes.
_COMMANDS, _ANSWERS = 3, 4


class NoBrowser(RuntimeError):
    """There is none, or it did not do what was asked of it."""


class _Silent(NoBrowser):
    """It runs, and does not answer."""


def found_browser() -> str | None:
    """The program of a browser that can do it."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


class Browser:
    """A context: the browser starts with it, and is gone after it. Its methods raise NoBrowser."""

    def __init__(self, program: str | None = None) -> None:
        self._program = program or found_browser()
        self._asked = 0
        self._patience = _PATIENCE_AT_START
        self._session: str | None = None
        self._read = b""

    def __enter__(self) -> Self:
        if self._program is None:
            raise NoBrowser(
                "a picture needs Chromium or Chrome, and neither is here; "
                "install one (Debian: apt-get install chromium), or open the HTML page elsewhere"
            )
        for start in range(1, _STARTS + 1):
            try:
                self._open_page(self._program)
                break
            except _Silent:
                if start == _STARTS:
                    raise
        self._patience = _PATIENCE
        return self

    def _open_page(self, program: str) -> None:
        self._patience, self._session, self._read = _PATIENCE_AT_START, None, b""
        with ExitStack() as stack:
            profile = stack.enter_context(TemporaryDirectory(prefix="ebbtide-browser-", ignore_cleanup_errors=True))
            self._start(program, Path(profile), stack)
            page = self.ask("Target.createTarget", url="about:blank")["targetId"]
            self._session = self.ask("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
            self.ask("Page.enable")
            self._left = stack.pop_all()

    def __exit__(self, *_: object) -> None:
        self._left.close()

    def _start(self, program: str, profile: Path, stack: ExitStack) -> None:
        ends = [*os.pipe(), *os.pipe()]
        # Above those numbers that they get over there.
        commands, self._commands, self._answers, answers = [_above(end) for end in ends]
        stack.callback(os.close, self._answers)
        words = [program, "--headless=new", "--remote-debugging-pipe", f"--user-data-dir={profile}"]
        words += ["--no-first-run", "--no-default-browser-check", "--disable-gpu", "--disable-dev-shm-usage"]
        words += ["--hide-scrollbars", "--disable-background-networking", "--mute-audio"]
        if sys.platform == "linux" and os.geteuid() == 0:
            words.append("--no-sandbox")  # as root it starts in no other way; it shows our own page, without a network
        null = (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)
        pipes = ((os.POSIX_SPAWN_DUP2, commands, _COMMANDS), (os.POSIX_SPAWN_DUP2, answers, _ANSWERS))
        try:
            pid = os.posix_spawn(program, words, os.environ, file_actions=(*pipes, null), setpgroup=0)
        except OSError as reason:
            os.close(self._commands)
            raise NoBrowser(f"{program} cannot be started: {reason.strerror}") from None
        finally:
            os.close(commands)
            os.close(answers)
        stack.callback(_end, pid)
        stack.callback(os.close, self._commands)

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol, and its answer."""
        self._asked += 1
        message: dict[str, Any] = {"id": self._asked, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        try:
            _write(self._commands, json.dumps(message).encode() + b"\0")
        except OSError as reason:
            raise NoBrowser(f"{self._program} has ended: {reason.strerror}") from None
        until = monotonic() + self._patience
        while (answer := self._next(until)).get("id") != self._asked:
            pass  # something that happened, which nobody waits for
        if "error" in answer:
            raise NoBrowser(f"{method}: {answer['error'].get('message')}")
        result: dict[str, Any] = answer["result"]
        return result

    def _next(self, until: float) -> dict[str, Any]:
        while b"\0" not in self._read:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, until - monotonic()))
            if not ready:
                raise _Silent(f"{self._program} does not answer within {self._patience:g} s")
            content = os.read(self._answers, 1 << 20)
            if not content:
                raise NoBrowser(f"{self._program} has ended")
            self._read += content
        message, _, self._read = self._read.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer

    def open(self, page: Path, width: int, height: int = 900, *, dark: bool = False) -> None:
        """Show a page of ours, until it has drawn itself. Sizes in CSS pixels."""
        self.resize(width, height)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])
        if error := self.ask("Page.navigate", url=page.resolve().as_uri()).get("errorText"):
            raise NoBrowser(f"{page}: {error}")
        ready = self.evaluate(
            "new Promise(done => { const look = () => { const ready = document.documentElement?.dataset.ready;"
            " ready ? done(ready) : setTimeout(look, 20); }; look(); })"
        )
        if ready != "yes":
            raise NoBrowser(f"{page}: {self.evaluate('document.getElementById(`plots`).textContent')}")

    def resize(self, width: int, height: int, scale: float = 1.0) -> None:
        """`scale`: pixels of the picture for one of the page."""
        self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False
        )

    def evaluate(self, script: str) -> Any:
        """The value of an expression, waited for if it is a promise."""
        told = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in told:
            details = told["exceptionDetails"]
            raise NoBrowser(str(details.get("exception", {}).get("description", details["text"])))
        return told["result"].get("value")

    def picture(self) -> bytes:
        """What the window shows, as PNG."""
        return b64decode(self.ask("Page.captureScreenshot", format="png")["data"])


def _above(end: int) -> int:
    found = fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(end)
    return found


def _write(end: int, content: bytes) -> None:
    while content:
        content = content[os.write(end, content) :]


def _end(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    os.waitpid(pid, 0)

"""`ebbtide serve`: a controller that works until a signal ends it, and what clients reach it by."""

from __future__ import annotations

import gc
import os
import shlex
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

from .api.accounts import Account, Accounts
from .certificate import Certificate, names_of
from .clock import now
from .controller import Controller
from .endpoint import Endpoint
from .ids import random_bytes
from .listening import ListenError, Listening, address
from .server_settings import ServerSettings
from .settings import Settings
from .state import StateDirectory
from .supervisor import is_logged, notify

#: Seconds that answers under way may take when the server is to end.
GRACE = 30.0


#: Objects made, and generations, between two rounds of the collector: a server makes many that stay, and few circles.
_ROUNDS = (20_000, 20, 20)


def _spare_the_collector() -> None:
    """What is loaded stays, and is not walked again and again."""
    gc.freeze()
    gc.set_threshold(*_ROUNDS)


def listening_of(settings: ServerSettings) -> Listening:
    """Where and how to listen. `certificate` is empty if a self-signed pair is wanted. Raises ListenError."""
    host, port = address(settings.listen)
    certificate, key = settings.certificate, settings.certificate_key
    if (certificate is None) != (key is None):
        raise ListenError("a certificate and its key belong together: give --certificate and --certificate-key")
    if settings.url is not None and (urlsplit(settings.url).scheme not in ("http", "https") or " " in settings.url):
        raise ListenError(f"server.url: {settings.url!r} is no URL, such as https://batch.example.com")
    found = Listening(
        host,
        port,
        Path(certificate) if certificate is not None else Path() if settings.tls else None,
        Path(key) if key is not None else None,
        settings.url,
    )
    if found.certificate is None and not found.is_loopback and not settings.plain_http:
        raise ListenError(
            f"{settings.listen} can be reached from other machines, and whoever listens on the way would read all that "
            "is asked and answered; give --tls, or --plain-http if that is meant (a proxy that speaks TLS, for one)"
        )
    if certificate is not None:
        found.tls()
    return found


class Server:
    """Hold the state's lock as long as this lives. `tell` takes lines for people, `first` the line that a client's
    shell is to be told, when the state has got its first account."""

    def __init__(
        self,
        state: StateDirectory,
        settings: Settings,
        listening: Listening,
        tell: Callable[[str], None],
        first: Callable[[str], None],
    ) -> None:
        """Raises what a controller does."""
        self._state = state
        self._settings = settings
        self._listening = listening
        self._tell = tell
        self._first = first
        self._signals = 0
        self._broken = False
        self._controller = Controller(state, settings)

    def work(self) -> int:
        """Until a signal; the exit code. Raises ListenError, StateError, JournalError."""
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            self._open()
            for number in handlers:
                signal.signal(number, self._signalled)
            notify("READY=1")
            _spare_the_collector()
            self._controller.run(lambda: False)
            self._tell_what_runs()
        finally:
            self._controller.close()
            if not self._signals:  # else the second one leaves at once as long as there is anything to wait for
                for number, handler in handlers.items():
                    signal.signal(number, handler)
        if self._broken:
            self._tell("ebbtide: error: clients cannot reach the server any more, so it ends; the log says why")
        return 1 if self._broken else 0

    def _open(self) -> None:
        accounts = Accounts(self._state.path)
        known = accounts.all()
        own = self._own_certificate()
        listening = self._controller.web.listen(self._listening, accounts, self._break)
        # the first account is made, and told, only where somebody can come
        account = next(iter(known.values()), None)
        account = account or accounts.create(self._settings.account, "readwrite", now(), random_bytes)
        endpoint = Endpoint(listening.url, str(own.absolute()) if own is not None else None)
        endpoint.keep(self._state.path)
        self._greet(listening, endpoint, account, new=not known)

    def _own_certificate(self) -> Path | None:
        """If no other was given, and one is wanted."""
        if self._listening.certificate is None or self._listening.key is not None:
            return None
        own = Certificate(self._state.path)
        told = urlsplit(self._listening.told or "").hostname
        if own.ensure(names_of(self._listening.host, told or ""), now()):
            self._tell(f"ebbtide: {own.file} is a new certificate: clients need it in the place of the former one")
        self._listening = replace(self._listening, certificate=own.file, key=own.key)
        return own.file

    def _greet(self, listening: Listening, endpoint: Endpoint, account: Account, *, new: bool) -> None:
        bound = replace(listening, told=None).url
        self._tell(f"ebbtide: serving {endpoint.url}" + (f" at {bound}" if bound != endpoint.url else ""))
        if endpoint.bundle is not None:
            bundle = shlex.quote(endpoint.bundle)
            self._tell(f"ebbtide: it vouches for itself: clients trust it by REQUESTS_CA_BUNDLE={bundle}")
        if new and not is_logged(1):
            self._first(endpoint.lines(account))
        else:
            self._tell(f"ebbtide: what a client needs: `ebbtide account show {account.name}`")

    # -- the end -------------------------------------------------------------------------------------------------

    def _signalled(self, number: int, _: FrameType | None) -> None:
        self._signals += 1
        if self._signals > 1:
            # what is committed is kept, and the next server adopts what runs
            os._exit(130)
        threading.Thread(target=self._leave, args=(signal.Signals(number).name,), name="leave", daemon=True).start()

    def _leave(self, why: str) -> None:
        notify("STOPPING=1")
        self._tell(f"ebbtide: {why}: answers under way end, {GRACE:g} s at most; once more to leave at once")
        cut = self._controller.web.leave(GRACE)
        if cut:
            self._tell(f"ebbtide: {cut} answers were cut off")
        self._controller.engine.stop()

    def _break(self) -> None:
        self._broken = True
        self._controller.engine.stop()

    def _tell_what_runs(self) -> None:
        core = self._controller.core
        nodes = len(core.ctx.nodes)
        if not nodes:
            self._tell("ebbtide: stopped; no node runs")
            return
        tasks = sum(core.busy(node.id) for node in core.ctx.nodes)
        self._tell(f"ebbtide: stopped; nodes that run on: {nodes}, with {tasks} tasks; the next server adopts them")
        self._tell("ebbtide: end them: `ebbtide down`")

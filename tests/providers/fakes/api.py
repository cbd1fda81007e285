"""A small threaded HTTP server to build a fake cloud on: routes, a record of requests, faults."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

Answer = tuple[int, Any]


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]  # names in lower case
    body: Any  # parsed JSON; a text if it is none; None without one

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class Fault:
    pattern: re.Pattern[str]
    status: int
    body: Any
    headers: dict[str, str]
    left: int
    lose: bool  # carry it out, and give no answer
    when: Callable[[Request], bool]
    seen: list[Request] = field(default_factory=list)

    def meets(self, request: Request) -> bool:
        return self.left > 0 and self.pattern.match(str(request)) is not None and self.when(request)


class Refused(Exception):
    """What a route raises to answer with an error."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, body)
        self.status, self.body, self.headers = status, body, headers or {}


def route(method: str, path: str) -> Callable[[Any], Any]:
    """`path`: a regular expression of the whole path; its groups are handed to the method after the request."""

    def mark(function: Any) -> Any:
        function.route = (method, re.compile(path + r"\Z", re.IGNORECASE))
        return function

    return mark


class FakeApi:
    """One fake cloud. State is touched by one request at a time. `boot_delay`: seconds until a new VM is up."""

    routes: ClassVar[list[tuple[str, re.Pattern[str], str]]]

    def __init_subclass__(cls) -> None:
        found = [(getattr(cls, name), name) for name in dir(cls) if hasattr(getattr(cls, name), "route")]
        # Those without groups first: "detail" is no id.
        cls.routes = sorted(((*function.route, name) for function, name in found), key=lambda each: each[1].groups)

    def __init__(self, boot_delay: float = 0.05) -> None:
        self.boot_delay = boot_delay
        self.requests: list[Request] = []
        self.lock = threading.RLock()
        self._faults: list[Fault] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def now(self) -> float:
        return time.time()

    def fail(
        self,
        request: str,
        status: int = 500,
        body: Any = None,
        *,
        times: int = 1,
        headers: dict[str, str] | None = None,
        lose: bool = False,
        when: Callable[[Request], bool] = lambda request: True,
    ) -> Fault:
        """The next `times` requests that match ("METHOD path", a regular expression) get that answer; with `lose`
        they are carried out, and the connection closes without an answer."""
        fault = Fault(re.compile(request, re.IGNORECASE), status, body, headers or {}, times, lose, when)
        with self.lock:
            self._faults.append(fault)
        return fault

    def crash_after(self, number: int) -> None:
        """From now on so many requests are answered; the one after that is carried out without an answer, and no
        other is taken: as if the caller had been killed."""
        with self.lock:
            begun = len(self.requests)
            self.fail(".", lose=True, when=lambda _: len(self.requests) == begun + number + 1)
            dead = self.refusal(503, "dead")
            self.fail(".", 503, dead, times=10_000, when=lambda _: len(self.requests) > begun + number)

    def heal(self) -> None:
        with self.lock:
            self._faults.clear()

    def asked(self, pattern: str) -> list[Request]:
        with self.lock:
            return [request for request in self.requests if re.match(pattern, str(request), re.IGNORECASE)]

    def refusal(self, status: int, message: str) -> Any:
        """The body of an error as this cloud words it."""
        return {"message": message}

    def admit(self, request: Request) -> None:
        """Raise Refused for one that has not signed in."""

    def answer(self, request: Request) -> tuple[int, Any, dict[str, str]] | None:
        """Status, body and headers; None closes the connection instead."""
        with self.lock:
            self.requests.append(request)
            fault = next((each for each in self._faults if each.meets(request)), None)
            if fault is not None:
                fault.left -= 1
                fault.seen.append(request)
                if not fault.lose:
                    return fault.status, fault.body, fault.headers
            try:
                self.admit(request)
                answer = self._routed(request)
            except Refused as refused:
                answer = (refused.status, refused.body, refused.headers)
            return None if fault is not None else answer

    def _routed(self, request: Request) -> tuple[int, Any, dict[str, str]]:
        for method, pattern, name in self.routes:
            matched = pattern.match(request.path)
            if matched and method == request.method:
                given = getattr(self, name)(request, *map(unquote, matched.groups()))
                return (*given, {}) if len(given) == 2 else given
        return 404, self.refusal(404, f"the fake has no {request}"), {}


def _handler_of(api: FakeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def serve(self) -> None:
            parts = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            query = {key: values[-1] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
            headers = {key.lower(): value for key, value in self.headers.items()}
            answer = api.answer(Request(self.command, parts.path, query, headers, _parsed(raw)))
            if answer is None:
                self.close_connection = True
                return
            status, body, extra = answer
            data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            for key, value in extra.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = serve  # noqa: N815 - the base class's names

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


def _parsed(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode(errors="replace")

"""A web server for the cases: gives what a case says, and keeps what it is sent. What is sent below a `silent/` gets no
answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Web:
    def __init__(self, address: str) -> None:
        self.address = address
        self.given: dict[str, bytes] = {}
        #: path -> {"body": text, "headers": {lower-case name: value}}
        self.received: dict[str, Any] = {}
        self.closing = threading.Event()


@contextmanager
def web_server() -> Iterator[Web]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = web.given.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            web.received[self.path] = {"body": body.decode(), "headers": headers}
            if "/silent/" in self.path:
                web.closing.wait()
            self.send_response(201)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        web = Web(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield web
        finally:
            web.closing.set()
            server.shutdown()
            thread.join()

"""A metadata service of a cloud, as far as it tells of interruptions."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NONE = (404, "")


class MetadataService:
    """`answer`: (status, body) of every question but for a token. `tokens`: "required", "offered" (IMDSv1 works too) or
    "unknown". `asked`: (method, path, token) of each request."""

    def __init__(self, tokens: str = "required") -> None:
        self.answer: tuple[int, str] = NONE
        self.tokens = tokens
        self.headers: dict[str, str] = {}  # that a question must have
        self.asked: list[tuple[str, str, str]] = []
        self.valid = "token-1"
        self.silent = threading.Event()  # answers nothing more; set again by `close`
        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = False
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def _handler(service) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                self._note()
                good = self.path == "/latest/api/token" and self.headers["X-aws-ec2-metadata-token-ttl-seconds"]
                self._say(*((200, service.valid) if good and service.tokens != "unknown" else (405, "no")))

            def do_GET(self) -> None:
                token = self._note()
                lacks = any(self.headers[name] != value for name, value in service.headers.items())
                refused = service.tokens == "required" and token != service.valid
                self._say(*((401, "Unauthorized") if refused or lacks else service.answer))

            def _note(self) -> str:
                token = self.headers.get("X-aws-ec2-metadata-token", "")
                service.asked.append((self.command, self.path, token))
                if service.silent.is_set():
                    service._over.wait()
                return token

            def _say(self, status: int, body: str) -> None:
                data = body.encode("utf-8", "surrogateescape")
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler

    def close(self) -> None:
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

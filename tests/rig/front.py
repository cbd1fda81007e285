"""The door of the fake EC2: HTTP on loopback, faults, the record of calls, and answers that libcloud understands."""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

from moto.core.request import Request
from moto.sts.responses import TokenResponse
from werkzeug.serving import WSGIRequestHandler, make_server

from .answers import Region, RigAnswers
from .errors import Refusal, status_of
from .faults import Call, Fault, Faults
from .market import QUOTAS

_CODE = re.compile(r"<Code>([^<]*)</Code>")
_EMPTY = re.compile(r"<(\w+Response)([^>]*)>\s*(<requestId>[^<]*</requestId>)?\s*</\1>")

Answer = tuple[int, str, bytes]


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        pass


class Front:
    """`mishaps`: what went wrong in the rig itself, each also answered as InternalError."""

    def __init__(self, region: Region, account: str, lock: threading.RLock, port: int = 0) -> None:
        self.calls: list[Call] = []
        self.mishaps: list[str] = []
        self.faults = Faults()
        self._region, self._account, self._lock = region, account, lock
        self._closing = threading.Event()
        self._server = make_server("127.0.0.1", port, self, threaded=True, request_handler=_Quiet)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="rig-front", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        arrived, began = time.time(), time.monotonic()
        service, action, params = _read(environ)
        fault = self.faults.take(action, params)
        code, answer = self._answer(environ, service, action, params, fault)
        lost = fault is not None and fault.lose_response
        call = Call(arrived, action, params)
        self.calls.append(replace(call, code=code, lost=lost, seconds=time.monotonic() - began))
        status, kind, body = answer
        if lost:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)  # what is written now goes nowhere
        headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("Server", "AmazonEC2")]
        start_response(f"{status} {'OK' if status == 200 else 'Error'}", headers)
        return [body]

    def _answer(
        self, environ: dict[str, Any], service: str, action: str, params: dict[str, str], fault: Fault | None
    ) -> tuple[str | None, Answer]:
        try:
            if fault is not None and fault.latency:
                self._closing.wait(fault.latency)
            if service not in ("ec2", "sts", "servicequotas"):
                raise Refusal("AuthFailure", "The rig wants signature version 4 for ec2, sts or servicequotas.")
            if fault is not None and fault.code:
                raise Refusal(fault.code, fault.message or f"Injected into {action}.")
            if service == "servicequotas":
                return None, self._quotas(action, params)
            return self._dispatch(environ, service)
        except Refusal as error:
            refusal = error
        except NotImplementedError:
            refusal = Refusal("InvalidAction", f"The action {action} is not valid for this web service.")
        except Exception as mishap:  # noqa: BLE001 - the rig itself is at fault: the caller gets an answer, the test a word
            self.mishaps.append(f"{action}: {traceback.format_exc()}")
            print(f"rig: {action}: {mishap!r}", file=sys.stderr)
            refusal = Refusal("InternalError", f"The rig failed: {mishap!r}")
        return refusal.code, refusal.answer(service or "ec2", str(uuid.uuid4()))

    def _dispatch(self, environ: dict[str, Any], service: str) -> tuple[str | None, Answer]:
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = self._account
        request = Request(environ)
        request.from_wsgi_server = True
        with self._lock:
            responder = RigAnswers(self._region) if service == "ec2" else TokenResponse()
            status, _, body = responder._dispatch(request)
        text = body.decode() if isinstance(body, bytes) else str(body)
        code = None
        if status >= 400:
            found = _CODE.search(text)
            code = found.group(1) if found else "InternalError"
            status = status_of(code)
            if service == "ec2":
                message = re.search(r"<Message>(.*?)</Message>", text, re.DOTALL)
                return code, Refusal(code, _plain(message.group(1) if message else "")).answer(request_id="")
        return code, (status, "text/xml;charset=UTF-8", _understandable(text).encode())

    def _quotas(self, action: str, params: dict[str, str]) -> Answer:
        if action == "GetServiceQuota":
            body: Any = {"Quota": self._region.market.quota(params.get("QuotaCode", ""))}
        elif action == "ListServiceQuotas":
            body = {"Quotas": [self._region.market.quota(code) for code in QUOTAS]}
        else:
            raise Refusal("InvalidAction", f"The rig does not know {action}.")
        return 200, "application/x-amz-json-1.1", json.dumps(body).encode()


def _read(environ: dict[str, Any]) -> tuple[str, str, dict[str, str]]:
    """The service, the action, and the params, with the caller's AWSAccessKeyId. The body can be read again.

    Raises ConnectionAbortedError if the caller ended before its request was whole: then nothing was asked.
    """
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    if len(body) < length:
        raise ConnectionAbortedError(f"{len(body)} of {length} bytes came")
    environ["wsgi.input"] = BytesIO(body)
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        params = {key: str(value) for key, value in json.loads(body or b"{}").items()}
        action = target.rpartition(".")[2]
    else:
        params = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        params.update(parse_qsl(body.decode(), keep_blank_values=True))
        action = params.get("Action", "")
    signed = re.search(r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d+/[^/]+/([^/]+)/", environ.get("HTTP_AUTHORIZATION", ""))
    params.setdefault("AWSAccessKeyId", signed.group(1) if signed else "")
    return signed.group(2) if signed else "", action, params


def _plain(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _understandable(text: str) -> str:
    """libcloud finds nothing in moto's namespace, which lacks a slash, and takes an answer without <return> for no."""
    text = re.sub(r'xmlns="(http://ec2\.amazonaws\.com/doc/[\d-]+)"', r'xmlns="\1/"', text, count=1)
    return _EMPTY.sub(r"<\1\2>\3<return>true</return></\1>", text)

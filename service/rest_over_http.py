"""The way to a server, or to the controller that works on a state: HTTP, signed with an account key where one is
needed, and asked again where it is too busy."""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import httpx
import msgspec

from .clock import now
from .rest_objects import WARNING, ClocksDiffer, RequestRefused, Unanswered, Way, pieces, unheard

_VERSION = "2024-02-01.19.0"
#: Seconds that an answer may take: the server waits for its records for a minute.
ANSWER = 90.0
_CONNECT = 10.0
#: Seconds between two tries, if the server does not say.
_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
_LONGEST_PAUSE = 30.0
#: Where a file, or a folder, of certificates is named that are trusted: the same as for `az`.
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
#: Seconds that clocks may differ by before somebody is told: servers refuse from 15 minutes on.
_SKEW = 600.0


class ServerAddress(NamedTuple):
    """`endpoint`: scheme, host and port. `key`: base64."""

    endpoint: str
    account: str
    key: str


class SharedKey(httpx.Auth):
    def __init__(self, account: str, key: str) -> None:
        self._account, self._key = account, key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        from runner import signature

        request.headers["ocp-date"] = formatdate(now(), usegmt=True)
        path, _, query = request.url.raw_path.decode("ascii").partition("?")
        headers = {name.lower(): value for name, value in request.headers.items()}
        signed = signature(self._key, self._account, request.method, path, query, headers)
        request.headers["Authorization"] = f"SharedKey {self._account}:{signed}"
        yield request


@contextmanager
def server(address: ServerAddress, answer: float = ANSWER, warn: Callable[[str], None] = unheard) -> Iterator[Way]:
    """`answer`: seconds that an answer may take. `warn`: see `http_way`. Raises Unanswered."""
    with signed_client(address, answer) as client:
        yield http_way(client, f"the server {address.endpoint}", warn)


def signed_client(address: ServerAddress, answer: float = ANSWER) -> httpx.Client:
    """What it asks is signed. Close it. Raises Unanswered."""
    timeout = httpx.Timeout(answer, connect=min(_CONNECT, answer))
    auth = SharedKey(address.account, address.key)
    trusted = _trusted() if address.endpoint.startswith("https:") else True
    return httpx.Client(base_url=address.endpoint, auth=auth, timeout=timeout, verify=trusted)


def _trusted() -> ssl.SSLContext:
    for name in _BUNDLES:
        bundle = os.environ.get(name)
        if not bundle:
            continue
        try:
            if os.path.isdir(bundle):
                return ssl.create_default_context(capath=bundle)
            return ssl.create_default_context(cafile=bundle)
        except OSError as exc:
            raise Unanswered(f"{name}={bundle}: no certificates can be read there: {exc.strerror or exc}") from None
    return httpx.create_ssl_context()


def http_way(
    client: httpx.Client,
    told: str,
    warn: Callable[[str], None] = unheard,
    sleep: Callable[[float], None] = time.sleep,
) -> Way:
    """`told`: who is asked, for errors. `warn`: is told what of a request has no effect."""

    def ask(
        method: str, path: str, query: Mapping[str, str], body: object | None, if_match: str | None = None
    ) -> Any:
        reads = method in ("GET", "HEAD")
        target = f"{path}?{urlencode({**query, 'api-version': _VERSION})}"
        kind = {"Content-Type": "application/json; odata=minimalmetadata"} if body is not None else {}
        if isinstance(body, Path):
            kind = {"Content-Type": "application/octet-stream", "Content-Length": str(body.stat().st_size)}
        headers = kind if if_match is None else {**kind, "If-Match": if_match}
        for pause in (*_PAUSES, None):
            # a file is read anew by every try
            content = pieces(body) if isinstance(body, Path) else msgspec.json.encode(body) if kind else None
            try:
                answer = client.request(method, target, content=content, headers=headers)
            except (httpx.ConnectError, httpx.ConnectTimeout) as exc:
                raise Unanswered(f"{told} cannot be reached: {exc}; {cure(exc)}") from None
            except httpx.HTTPError as exc:
                if reads and pause is not None and not isinstance(exc, httpx.TimeoutException):
                    sleep(pause)
                    continue
                text = f"{told} could not be asked, or ended before it answered: {_words(exc)}"
                then = "look at what is there, then ask again"
                if client.base_url.scheme == "http" and isinstance(exc, httpx.RemoteProtocolError):
                    then += " (if it speaks TLS: with https://... as endpoint)"
                raise Unanswered(f"{text}; {then}") from None
            if answer.is_success:
                if WARNING in answer.headers:
                    warn(answer.headers[WARNING])
                return _content(answer, told)
            refused = refusal(answer, told)
            # what was asked for and is not recorded yet may be so by now: only whoever asks can tell
            again = answer.status_code == 503 and (reads or refused.code == "ServerBusy")
            if not again or pause is None:
                raise refused
            sleep(_said(answer, pause))
        raise AssertionError

    return ask


def _content(answer: httpx.Response, told: str) -> Any:
    if not answer.content:
        return None
    try:
        return answer.json()
    except ValueError:
        raise Unanswered(f"{told} does not answer as the Batch REST API does; look at the address") from None


def refusal(answer: httpx.Response, told: str) -> RequestRefused:
    """Messages without the lines that name the request and the time."""
    try:
        found = answer.json()
        text, _, _ = found["message"]["value"].partition("\nRequestId:")
        if found["code"] == "AuthenticationFailed":
            return _denial(answer, text)
        return RequestRefused(found["code"], text)
    except (ValueError, KeyError, TypeError, AttributeError):
        text = f"{told} answers HTTP {answer.status_code} {answer.reason_phrase}, and not as the Batch REST API does"
        return RequestRefused("UnexpectedAnswer", f"{text}; look at the address")


def _denial(answer: httpx.Response, text: str) -> RequestRefused:
    """The server's own words, without those that it always says first; or that a clock is wrong."""
    try:
        behind = parsedate_to_datetime(answer.headers["Date"]).timestamp() - now()
    except (KeyError, ValueError):
        behind = 0.0
    if abs(behind) > _SKEW:
        which = "behind" if behind > 0 else "ahead of"
        apart = f"the clock of this machine is {abs(behind) / 60:,.0f} minutes {which} that of the server"
        return ClocksDiffer("AuthenticationFailed", f"{apart}: set the one that is wrong, then ask again")
    return RequestRefused("AuthenticationFailed", text.partition("header is formed correctly: ")[2] or text)


def _said(answer: httpx.Response, pause: float) -> float:
    """How long the server wants us to wait."""
    after = answer.headers.get("Retry-After", "")
    return min(float(after), _LONGEST_PAUSE) if after.isascii() and after.isdigit() else pause


def _words(error: Exception) -> str:
    return str(error).rstrip(".") or type(error).__name__


def cure(error: Exception) -> str:
    """What helps if nobody could be reached."""
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return _certificate_cure(text)
    if "WRONG_VERSION_NUMBER" in text or "RECORD_LAYER_FAILURE" in text:
        return "it speaks no TLS, it seems: give http://... as endpoint"
    return "look at the endpoint, and whether `ebbtide serve` runs there"


def _certificate_cure(text: str) -> str:
    if "is not valid for" in text:
        return "give the endpoint the name or address that its certificate is for"
    if "has expired" in text or "not yet valid" in text:
        return "give the server a certificate that is valid now, or set the clock of this machine right"
    where = "of `ebbtide serve --tls` certificate.pem in its state directory"
    text = f"if its certificate is self-signed, name the file: export {_BUNDLES[0]}=FILE ({where})"
    named = next((name for name in _BUNDLES if os.environ.get(name)), None)
    return text if named is None else f"{text}; {named}={os.environ[named]} does not vouch for it"

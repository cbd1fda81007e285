"""Whether the cloud has announced that it takes this machine back: asked of the cloud's metadata service.

One plain HTTP request every few seconds, without ever blocking: the agent's poll loop waits for the answer beside all
else. An answer that is not understood counts as none. Sources: EC2 "Spot Instance interruption notices" and IMDSv2;
Google Compute Engine "Preemptible VM instances: handle preemption"; Azure "Scheduled Events for Linux VMs".
"""

from __future__ import annotations

import os
import re
import select
import socket
import time

from . import clock, wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .wire import Message

PERIOD = 5.0  # seconds between two questions
PATIENCE = 2.0  # seconds for an answer
AZURE_PATIENCE = 150.0  # Azure enables the service at the first question, which may take two minutes
LARGEST = 1 << 16  # bytes of an answer
ADDRESS = "http://169.254.169.254"  # of all three clouds
OVERRIDE = "EBBTIDE_METADATA_URL"
TOKEN_LIFE = 21600
TOKEN_AGAIN = 60.0

_EC2_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)")
_AZURE_DATE = re.compile(r"(\d{1,2}) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d)")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


# -- answers: when it is taken back (seconds since the epoch), or None. They may raise ValueError, KeyError, TypeError.


def ec2(body: str, now: float) -> float | None:
    """`{"action": "terminate", "time": "2017-09-18T08:22:00Z"}`: two minutes ahead."""
    said = _object(body)
    if said["action"] not in ("terminate", "stop", "hibernate"):
        return None
    date = _EC2_DATE.match(str(said.get("time")))
    return _epoch(*(int(part) for part in date.groups())) if date else now + 120.0


def gce(body: str, now: float) -> float | None:
    """`TRUE` from the moment that it has 30 seconds left."""
    return now + 30.0 if body.strip().upper() == "TRUE" else None


def azure(body: str, now: float) -> float | None:
    """The earliest event of type Preempt. One that has begun has no date any more."""
    found = []
    for event in _object(body)["Events"]:
        if event["EventType"] == "Preempt":
            date = _AZURE_DATE.search(str(event.get("NotBefore")))
            found.append(now if date is None else _azure_time(*date.groups()))
    return min(found) if found else None


def _azure_time(day: str, month: str, year: str, *clock_time: str) -> float:
    return _epoch(int(year), _MONTHS.index(month.lower()) + 1, int(day), *(int(part) for part in clock_time))


def _epoch(*date: int) -> float:
    from calendar import timegm  # takes some milliseconds

    return float(timegm(date))


def _object(body: str) -> Message:
    return wire.decode(body[body.find("{") : body.rfind("}") + 1].encode())


_SERVICES = {
    "ec2": ("/latest/meta-data/spot/instance-action", "", ec2),
    "gce": ("/computeMetadata/v1/instance/preempted", "Metadata-Flavor: Google\r\n", gce),
    "azure": ("/metadata/scheduledevents?api-version=2020-07-01", "Metadata: true\r\n", azure),
}


class Watch:
    """Asks one service. Its socket is in `poll` while an answer is awaited; `turn` is called after each poll, which may
    take no longer than `patience`."""

    def __init__(self, kind: str, poll: select.poll) -> None:
        """`kind`: "ec2", "gce" or "azure". Raises KeyError for another, ValueError for a bad override."""
        self._path, self._headers, self._read = _SERVICES[kind]
        self._ec2 = kind == "ec2"
        self._wait = AZURE_PATIENCE if kind == "azure" else PATIENCE
        self._host = os.environ.get(OVERRIDE, ADDRESS).partition("//")[2].partition("/")[0]
        name, _, port = self._host.partition(":")
        self._peer = (name, int(port or 80))
        self._poll = poll
        self._token = ""
        self._asks_token = False
        self._token_until = 0.0
        self._socket: socket.socket | None = None
        self._request = b""
        self._got = b""
        self._due = time.monotonic()  # of the next question, or of the end of patience with this one
        self._told: float | None = None

    def patience(self) -> int:
        """Milliseconds until there is something to do, if the service stays silent."""
        return max(0, int((self._due - time.monotonic()) * 1000) + 1)

    def turn(self) -> float | None:
        """When this machine is taken back (seconds since the epoch), if that is news. Never blocks."""
        now = time.monotonic()
        try:
            if self._socket is not None:
                return self._go_on(self._socket, now)
            if now >= self._due:
                self._ask(now)
        except BlockingIOError:
            if now >= self._due:
                self._rest(now)
        except OSError:
            self._rest(now)  # there is no such service, or it is busy
        return None

    def _ask(self, now: float) -> None:
        self._asks_token = self._ec2 and now >= self._token_until
        if self._asks_token:
            head = f"PUT /latest/api/token HTTP/1.0\r\nX-aws-ec2-metadata-token-ttl-seconds: {TOKEN_LIFE}\r\n"
            head += "Content-Length: 0\r\n"
        else:
            head = f"GET {self._path} HTTP/1.0\r\n{self._headers}"
            head += f"X-aws-ec2-metadata-token: {self._token}\r\n" if self._token else ""
        self._request = f"{head}Host: {self._host}\r\nConnection: close\r\n\r\n".encode("ascii")
        self._got = b""
        self._due = now + self._wait
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._poll.register(self._socket, select.POLLOUT)
        self._socket.connect_ex(self._peer)  # how it went shows when it is written to

    def _go_on(self, sock: socket.socket, now: float) -> float | None:
        if self._request:
            self._request = self._request[sock.send(self._request) :]
            if not self._request:
                self._poll.modify(sock, select.POLLIN)
            return None
        piece = sock.recv(1 << 14)
        self._got += piece
        if piece and not _whole(self._got) and len(self._got) < LARGEST:
            return None
        self._rest(now)
        return self._answered(now)

    def _answered(self, now: float) -> float | None:
        head, _, body = self._got.decode("utf-8", "replace").partition("\r\n\r\n")
        status = head.split(" ", 2)[1:2]
        if self._asks_token:
            # a service without tokens (version 1 only) is asked without; one that demands them says 401
            words = body.split()
            self._token = words[0] if status == ["200"] and len(words) == 1 and body.isascii() else ""
            self._token_until = now + TOKEN_LIFE / 2
            self._due = now
            return None
        if status == ["401"]:
            self._token_until = 0.0
        if status != ["200"]:
            return None
        try:
            at = self._read(body, clock.now())
        except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
            return None
        if at is None or (self._told is not None and abs(at - self._told) < 60.0):
            return None
        self._told = at
        return at

    def _rest(self, now: float) -> None:
        """Until the next question."""
        if self._socket is not None:
            self._poll.unregister(self._socket)
            self._socket.close()
            self._socket = None
        if self._asks_token:
            self._token_until = now + TOKEN_AGAIN  # if none came, perhaps none is needed
        self._due = now + PERIOD


def _whole(got: bytes) -> bool:
    """Whether all is there that the header promises. Without a promise the end of the connection tells."""
    head, end, body = got.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d{1,9})", head)
    return bool(end) and length is not None and len(body) >= int(length.group(1))

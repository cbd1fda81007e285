"""HTTP by hand: what servers and proxies may answer, and what is asked of them."""

import base64
import io
import socket
import time
from collections.abc import Callable

import pytest

from runner.agent import transfer
from runner.agent.transfer import TransferError

from .raw_server import OK, Reply, Server, got, put, takes

pytestmark = pytest.mark.usefixtures("at_once")

CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "content"),
    [
        (OK + b"Content-Length: 5\r\n\r\nhello and more", b"hello"),
        (OK + b"content-LENGTH:0\r\n\r\nhello", b""),
        (b"HTTP/1.0 200\r\n\r\nuntil it ends", b"until it ends"),
        (b"HTTP/1.1 200 OK\n\nlines of another kind", b"lines of another kind"),
        (b"HTTP/1.1 204 No Content\r\n\r\nhello", b""),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nhi", b"hi"),
        (CHUNKED + b"3\r\nabc\r\n0A ; x=y\r\n0123456789\r\n0\r\n\r\n", b"abc0123456789"),
        (CHUNKED + b"1\r\na\r\n000\r\nTrailer: x\r\n\r\nmore", b"a"),
    ],
)
def test_what_is_downloaded(serve: Callable[..., Server], answer: bytes, content: bytes) -> None:
    assert got(serve(answer).url + "/x") == content


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "cut short"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "cut short"),
        (OK + b"Content-Length: 6\r\n\r\nhello", "cut short"),
        (CHUNKED + b"5\r\nabc", "cut short"),
        (CHUNKED + b"5\r\nabcde", "cut short"),
        (CHUNKED + b"5\r\nabcde\r\n", "cut short"),
        (CHUNKED + b"3\r\nabcde\r\n", "no HTTP"),
        (CHUNKED + b"-3\r\nabc\r\n", "no HTTP"),
        (CHUNKED + b"\r\nabc\r\n", "no HTTP"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "no HTTP"),
        (b"HTTP/2 200 OK\r\n\r\n", "no HTTP"),
        (b"HTTP/1.1 20 OK\r\n\r\n", "no HTTP"),
        (OK + b"x: y\r\n" * 1000 + b"\r\n", "no HTTP"),
        (b"HTTP/1.1 200 " + b"x" * 100_000, "no HTTP"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, "no HTTP"),
        (b"HTTP/1.1 206 Partial Content\r\nContent-Length: 2\r\n\r\nhe", "206 Partial Content"),
        (b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", "202 Accepted"),
        (b"HTTP/1.1 404 Not Found\r\nx-ms-error-code: ContainerNotFound\r\n\r\n", "404 Not Found (ContainerNotFound)"),
        (b"HTTP/1.1 403 No\r\n\r\n<Error><Code>SignatureDoesNotMatch</Code>", "403 No (SignatureDoesNotMatch)"),
    ],
)
def test_what_cannot_be_downloaded(serve: Callable[..., Server], answer: bytes, said: str) -> None:
    server = serve(answer)
    with pytest.raises(TransferError) as raised:
        got(server.url + "/x?sig=TOKEN")
    assert said in str(raised.value) and "TOKEN" not in str(raised.value)


def test_a_limit_holds_whether_the_size_is_told_or_not(serve: Callable[..., Server]) -> None:
    for answer in (OK + b"Content-Length: 5\r\n\r\nhello", OK + b"\r\nhello"):
        assert got(serve(answer).url, limit=5) == b"hello"
        with pytest.raises(TransferError) as raised:
            got(serve(answer).url, limit=4)
        assert raised.value.kind == "limit"


def hangs(connection: socket.socket) -> None:
    while connection.recv(1 << 16):
        pass


def trickles(beginning: bytes) -> Callable[[socket.socket], None]:
    """Never ends, and is never silent for long."""

    def answer(connection: socket.socket) -> None:
        try:
            connection.sendall(beginning)
            while True:
                connection.sendall(b"x")
                time.sleep(0.05)
        except OSError:
            pass  # the client has given up

    return answer


def stops(connection: socket.socket) -> None:
    connection.sendall(OK + b"Content-Length: 5\r\n\r\nhe")
    hangs(connection)


SILENT: dict[str, tuple[str, Reply]] = {
    "from the beginning": ("GET", hangs),
    "in the status": ("GET", trickles(b"HTTP/1.1 200 ")),
    "in the headers": ("GET", trickles(OK + b"x: ")),
    "in the content": ("GET", trickles(OK + b"Content-Length: 1000000\r\n\r\n")),
    "after some of the content": ("GET", stops),
    "when it has the content": ("PUT", hangs),
    "in what it says to the content": ("PUT", trickles(b"HTTP/1.1 201 ")),
}


@pytest.mark.parametrize("case", SILENT.values(), ids=SILENT)
def test_a_time_limit_holds_whatever_the_server_does(serve: Callable[..., Server], case: tuple[str, Reply]) -> None:
    method, reply = case
    url, began = serve(reply).url, time.monotonic()
    with pytest.raises(TransferError) as raised:
        if method == "GET":
            transfer.download(url, io.BytesIO(), deadline=began + 0.3)
        else:
            transfer.upload(url, io.BytesIO(b"hello"), 5, {}, began + 0.3)
    assert raised.value.kind == "timeout" and 0.2 <= time.monotonic() - began < 10


def see(location: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_download_goes_where_it_is_sent(serve: Callable[..., Server], status: int) -> None:
    there = serve(see("b?x=1", status), OK + b"\r\nhello")
    here = serve(see(there.url + "/folder/a", status))
    assert got(here.url + "/x") == b"hello"
    assert [asked.split(" HTTP")[0] for asked in there.asked] == ["GET /folder/a", "GET /folder/b?x=1"]


def test_neither_in_circles_nor_to_files(serve: Callable[..., Server]) -> None:
    with pytest.raises(TransferError, match="redirects without end"):
        got(serve(*[see("/x")] * transfer.REDIRECTS).url + "/x")
    with pytest.raises(TransferError, match="neither http nor https"):
        got(serve(see("file:///etc/passwd")).url)


@pytest.mark.parametrize("asks", [True, False])
def test_the_content_is_sent_whether_the_server_asks_for_it_or_not(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, asks: bool
) -> None:
    monkeypatch.setattr(transfer, "CONTINUE_WITHIN", 30.0 if asks else 0.01)
    found: list[bytes] = []
    server = serve(takes(found, asks))
    put(server.url + "/a", **{"Content-Type": "x/y"})
    assert found == [b"hello"]
    assert server.asked[0].startswith("PUT /a HTTP/1.1\r\nHost: 127.0.0.1:")
    assert {"Content-Type: x/y", "Content-Length: 5", "Expect: 100-continue"} <= set(server.asked[0].split("\r\n"))


def test_an_upload_goes_where_it_is_sent_without_what_was_said_to_the_first(serve: Callable[..., Server]) -> None:
    found: list[bytes] = []
    there = serve(takes(found, True))
    here = serve(see(there.url + "/b", 307))
    put(here.url + "/a", secret="x")
    assert found == [b"hello"] and "secret" in here.asked[0] and "secret" not in there.asked[0]


def test_nothing_can_be_smuggled_into_a_request(serve: Callable[..., Server]) -> None:
    server = serve(OK + b"\r\n")
    got(server.url + "/a b\x01é?sig=%2F+=&x")
    assert server.asked[0].startswith("GET /a%20b%01%C3%A9?sig=%2F+=&x HTTP/1.1\r\n")
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(TransferError, match="ValueError"):
        put(f"http://127.0.0.1:{listener.getsockname()[1]}/", a="b\r\nc: d")


class TestProxies:
    """Addresses of documentation, which lead nowhere: only a proxy can have answered."""

    def test_one_for_http_is_asked_for_the_whole_address(
        self, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        proxy = serve(OK + b"\r\nhello")
        monkeypatch.setenv("http_proxy", proxy.url.replace("//", "//me:p%40ss@"))
        assert got("http://192.0.2.1:8080/a?b=c") == b"hello"
        said = base64.b64encode(b"me:p@ss").decode()
        assert proxy.asked[0].startswith("GET http://192.0.2.1:8080/a?b=c HTTP/1.1\r\nHost: 192.0.2.1:8080\r\n")
        assert f"\r\nProxy-Authorization: Basic {said}\r\n" in proxy.asked[0]

    def test_one_for_https_makes_a_tunnel(self, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
        begun: list[bytes] = []

        def open_one(connection: socket.socket) -> None:
            connection.sendall(OK + b"\r\n")
            begun.append(connection.recv(1))

        proxy = serve(b"HTTP/1.1 403 Not there\r\n\r\n", open_one)
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.removeprefix("http://"))
        with pytest.raises(TransferError, match="the proxy answered 403 Not there"):
            got("https://192.0.2.1/a")
        with pytest.raises(TransferError):
            got("https://192.0.2.1/a")
        assert proxy.asked[0].startswith("CONNECT 192.0.2.1:443 HTTP/1.1\r\nHost: 192.0.2.1:443\r\n")
        assert begun == [b"\x16"], "a TLS handshake goes through it"

    @pytest.mark.parametrize("excepted", [None, "127.0.0.1", "localhost:1,127.0.0.1"])
    def test_none_is_asked_for_this_machine(
        self, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, excepted: str | None
    ) -> None:
        monkeypatch.setenv("http_proxy", "http://192.0.2.1:1")
        if excepted is not None:
            monkeypatch.setenv("no_proxy", excepted)
        assert got(serve(OK + b"\r\nhello").url) == b"hello"

"""The life of a server: where it listens, how it is watched, how it ends."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from service.supervisor import notify
from tests.providers.waiting import wait_until

from .served import PATIENCE, Served, ebbtide, exported, signed

#: Runs the command, with a journal that says its disk is full while $FULL is there, and an engine that is broken once
#: $BROKEN is.
FAULTY = """
import os
from runner import JournalError
from runner.engine import Engine
from runner.journal import Journal
from service.cli import main
commit, step = Journal.commit, Engine.step
def written(self, changes):
    if os.path.exists(os.environ["FULL"]):
        raise JournalError("database or disk is full")
    commit(self, changes)
def stepped(self):
    step(self)
    if os.path.exists(os.environ["BROKEN"]):
        raise RuntimeError("broken")
Journal.commit, Engine.step = written, stepped
main()
"""


@pytest.fixture
def begun() -> Iterator[list[Served]]:
    """Servers that are ended with the test."""
    found: list[Served] = []
    yield found
    for each in found:
        each.close()


# -- where ---------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_ipv6_by_a_url_of_its_own_behind_a_proxy(tmp_path: Path, begun: list[Served]) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("server: {listen: '[::1]:0', url: 'https://batch.example.com/'}\n")
    served = Served(tmp_path, "--config", str(config), "--listen", "[::1]:0").ready()
    begun.append(served)
    assert served.lines["AZURE_BATCH_ENDPOINT"] == "https://batch.example.com"
    assert served.url.startswith("http://[::1]:")
    account = served.lines["AZURE_BATCH_ACCOUNT"], served.lines["AZURE_BATCH_ACCESS_KEY"]
    proto, host = "https, http", "batch.example.com, 10.0.0.1"
    answer = served.ask("GET", "/pools", *account, x_forwarded_proto=proto, x_forwarded_host=host)
    assert answer.json()["odata.metadata"].startswith("https://batch.example.com/")
    answer = served.ask("GET", "/pools", *account, x_forwarded_host="evil/\\", x_forwarded_proto="gopher")
    assert answer.json()["odata.metadata"].startswith(f"{served.url}/")


# -- one state -----------------------------------------------------------------------------------------------------


def test_two_on_one_state(tmp_path: Path, begun: list[Served]) -> None:
    served = Served(tmp_path).ready()
    begun.append(served)
    pid = served.process.pid
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "state").symlink_to(served.state)
    second = Served(tmp_path / "second")
    begun.append(second)
    assert second.process.wait(PATIENCE) == 2 and not second.out
    assert f"(pid {pid}) works on the state" in second.err and "or use another --state" in second.err
    workload = tmp_path / "w.yaml"
    workload.write_text("pools:\n- {id: p, vmSize: local.small, targetLowPriorityNodes: 0}\n")
    beside = ebbtide("run", str(workload), state=served.state)
    assert beside.returncode == 2
    assert "serves it (`ebbtide serve`); ask that server, or stop it (kill -TERM" in beside.stderr
    assert served.client().get("/healthz").status_code == 200


def test_a_start_that_fails_leaves_the_first_one_to_come(tmp_path: Path, begun: list[Served]) -> None:
    served = Served(tmp_path, "--listen", "192.0.2.1:1", "--plain-http")
    begun.append(served)
    assert served.process.wait(PATIENCE) == 2 and "cannot be listened on" in served.err
    assert not (served.state / "accounts.json").exists(), "its key would never be told"


def test_a_restart_keeps_accounts_and_tells_no_key(tmp_path: Path, begun: list[Served]) -> None:
    first = Served(tmp_path).ready()
    begun.append(first)
    line = first.lines
    assert first.end(signal.SIGINT) == 0
    second = Served(tmp_path, environment={"EBBTIDE_ACCOUNT": "another"}).ready()
    begun.append(second)
    assert "export" not in second.out and line["AZURE_BATCH_ACCESS_KEY"] not in second.err
    account = line["AZURE_BATCH_ACCOUNT"], line["AZURE_BATCH_ACCESS_KEY"]
    assert second.ask("GET", "/pools", *account).status_code == 200
    told = exported(ebbtide("account", "show", "ebbtide", state=second.state).stdout)
    assert told == {**line, "AZURE_BATCH_ENDPOINT": second.url}


# -- watched -------------------------------------------------------------------------------------------------------


def test_as_systemd_starts_it(tmp_path: Path, begun: list[Served]) -> None:
    """It is told when the server is ready and when it stops, and its journal holds no key: standard output goes there
    if it is what $JOURNAL_STREAM names."""
    out, name = tmp_path / "out.txt", str(tmp_path / "notify")
    out.touch()
    found = os.stat(out)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(name)
        systemd.settimeout(PATIENCE)
        journal = f"{found.st_dev}:{found.st_ino}"
        served = Served(tmp_path, environment={"NOTIFY_SOCKET": name, "JOURNAL_STREAM": journal})
        begun.append(served)
        assert systemd.recv(100) == b"READY=1"
        assert served.client().get("/healthz").status_code == 200, "it is"
        assert served.out == "" and "`ebbtide account show ebbtide --state" in served.err
        assert served.end() == 0
        assert systemd.recv(100) == b"STOPPING=1"


@pytest.mark.parametrize("name", ["", "relative", "/nowhere/notify", "@nobody-listens"])
def test_nobody_who_wants_to_know(name: str) -> None:
    notify("READY=1", {"NOTIFY_SOCKET": name})


def test_an_abstract_socket() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"\0ebbtide-{os.getpid()}")
        notify("READY=1", {"NOTIFY_SOCKET": f"@ebbtide-{os.getpid()}"})
        assert systemd.recv(100) == b"READY=1"


def test_health_while_the_state_cannot_be_written_and_the_end_of_an_engine(tmp_path: Path, begun: list[Served]) -> None:
    full, broken = tmp_path / "full", tmp_path / "broken"
    served = Served(
        tmp_path,
        command=(sys.executable, "-c", FAULTY),
        environment={"FULL": str(full), "BROKEN": str(broken)},
    ).ready()
    begun.append(served)
    account = served.lines["AZURE_BATCH_ACCOUNT"], served.lines["AZURE_BATCH_ACCESS_KEY"]
    pool = b'{"id": "p", "vmSize": "local.small", "targetDedicatedNodes": 0}'

    def health() -> tuple[int, str]:
        answer = httpx.get(f"{served.url}/healthz", trust_env=False, timeout=PATIENCE)
        return answer.status_code, answer.json()["status"]

    full.touch()
    hasty = httpx.Client(base_url=served.url, trust_env=False, timeout=0.5)
    with hasty, pytest.raises(httpx.ReadTimeout):
        hasty.send(signed(hasty, "POST", "/pools", *account, content=pool))
    wait_until(lambda: health() == (503, "waiting"))
    full.unlink()
    wait_until(lambda: health() == (200, "ok"))
    assert served.ask("GET", "/pools/p", *account).status_code == 200
    broken.touch()
    with suppress(httpx.HTTPError):  # it may be gone before it has answered
        served.ask("POST", "/pools", *account, content=pool.replace(b'"p"', b'"q"'))
    assert served.process.wait(PATIENCE) == 1
    assert "ebbtide: error: RuntimeError: broken" in served.err


# -- the end -------------------------------------------------------------------------------------------------------


def half_asked(served: Served) -> tuple[socket.socket, bytes]:
    """A connection with the first half of a request that makes a pool, and the second half."""
    account = served.lines["AZURE_BATCH_ACCOUNT"], served.lines["AZURE_BATCH_ACCESS_KEY"]
    body = b'{"id": "p", "vmSize": "local.small", "targetDedicatedNodes": 0}'
    request = signed(served.client(), "POST", "/pools", *account, content=body)
    head = f"POST {request.url.raw_path.decode()} HTTP/1.1\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    url = httpx.URL(served.url)
    sock = socket.create_connection((url.host, url.port or 0), timeout=PATIENCE)
    # it is asked for the rest once the request has come so far that it is answered
    sock.sendall(f"{head}expect: 100-continue\r\n\r\n".encode())
    assert sock.recv(1000).startswith(b"HTTP/1.1 100")
    return sock, body


def test_answers_under_way_end_and_nobody_else_gets_in(tmp_path: Path, begun: list[Served]) -> None:
    served = Served(tmp_path).ready()
    begun.append(served)
    idle = served.client()
    assert idle.get("/healthz").status_code == 200
    sock, rest = half_asked(served)
    served.process.send_signal(signal.SIGTERM)
    served.until("answers under way end")
    with sock:
        wait_until(lambda: refused(served))
        sock.sendall(rest)
        answer = b""
        while more := sock.recv(1000):
            answer += more
    assert answer.startswith(b"HTTP/1.1 201") and b"connection: close" in answer.lower()
    assert served.process.wait(PATIENCE) == 0
    assert "stopped; no node runs" in served.err and "cut off" not in served.err
    shown = ebbtide("pool", "list", state=served.state)
    assert "p " in shown.stdout, "what was answered is kept"


def refused(served: Served) -> bool:
    url = httpx.URL(served.url)
    try:
        socket.create_connection((url.host, url.port or 0), timeout=PATIENCE).close()
    except ConnectionRefusedError:
        return True
    return False


def test_the_second_signal_does_not_wait(tmp_path: Path, begun: list[Served]) -> None:
    served = Served(tmp_path).ready()
    begun.append(served)
    sock, _ = half_asked(served)
    with sock:
        assert served.end(signal.SIGTERM, signal.SIGTERM) == 130


def test_the_second_signal_does_not_wait_for_threads_either(tmp_path: Path, begun: list[Served]) -> None:
    """After the work is over, Python waits for the threads that are left: here for one that never ends."""
    endless = "import threading; threading.Thread(target=threading.Event().wait).start()"
    served = Served(
        tmp_path, command=(sys.executable, "-c", f"{endless}; from service.cli import main; main()")
    ).ready()
    begun.append(served)
    served.process.send_signal(signal.SIGINT)
    served.until("stopped; no node runs")
    served.process.send_signal(signal.SIGINT)
    assert served.process.wait(PATIENCE) == 130
    assert "Traceback" not in served.err

"""Tasks on real nodes reach the HTTP side of the controller by AZ_BATCH_ACCOUNT_URL."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from providers import marked_processes
from runner import open_journal
from service.controller_socket import client
from service.state import StateDirectory

from .asking import add, answers, script
from .world import PATIENCE, World


def test_a_controller_that_was_killed_is_reached_again_when_it_is_back(tmp_path: Path) -> None:
    asked, go = tmp_path / "asked", tmp_path / "go"
    ask = script(
        tmp_path / "ask.py",
        f"""
        first = ask("/health", own)
        open({str(asked)!r}, "w").close()
        while not os.path.exists({str(go)!r}): time.sleep(0.02)
        print(json.dumps([first, ask("/health", own, patience=60.0)]))
        """,
    )
    workload, state = tmp_path / "workload.yaml", StateDirectory(tmp_path / "state")
    task = {"id": "t0", "commandLine": ask, "authenticationTokenSettings": {"access": ["job"]}}
    job = {"id": "job", "poolInfo": {"poolId": "pool"}, "onAllTasksComplete": "terminatejob", "tasks": [task]}
    pool = {"id": "pool", "vmSize": "local.small", "targetDedicatedNodes": 1}
    workload.write_text(json.dumps({"pools": [pool], "jobs": [job]}))
    command = [sys.executable, "-m", "service", "run", str(workload), "--state", str(state.path), "--json"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as killed:
        end = time.monotonic() + PATIENCE
        while not asked.exists():
            assert killed.poll() is None and time.monotonic() < end
            time.sleep(0.05)
        killed.send_signal(signal.SIGKILL)
    go.touch()
    again = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert again.returncode == 0, again.stderr
    journal = open_journal(state.database_url)
    try:
        output = journal.output("task", "job", "t0", "stdout")
        assert output is not None and output.data is not None
        first, second = json.loads(output.data)
        assert first[0] == 200 and second == first
        (kept,) = journal.tasks("job")
        assert (kept.exit_code, kept.attempt, kept.requeue_count) == (0, 1, 0)
    finally:
        journal.close()
    assert marked_processes(state.deployment().id) == []


def test_a_task_that_runs_reaches_the_next_controller_by_the_same_address(tmp_path: Path) -> None:
    with World(tmp_path / "state") as world:
        world.pool(target_dedicated_nodes=1)
        go = tmp_path / "go"
        ask = script(
            tmp_path / "ask.py",
            f"""
            first = ask("/health", own)
            open({str(tmp_path / "asked")!r}, "w").close()
            while not os.path.exists({str(go)!r}): time.sleep(0.02)
            print(json.dumps([first, ask("/health", own, patience=60.0)]))
            """,
        )
        add(world, ask)
        world.wait(lambda: (tmp_path / "asked").exists(), "the first answer")
        world.stop()
        go.touch()
        world.start()
        first, second = answers(world)
        assert first[0] == 200 and second == first
        assert world.task().requeue_count == world.task().retry_count == 0


def test_two_hundred_connections_at_once_are_all_served(tmp_path: Path) -> None:
    with World(tmp_path / "state") as world:
        world.pool(target_dedicated_nodes=1)
        ask = script(
            tmp_path / "ask.py",
            """
            import socket, threading
            from urllib.parse import urlsplit
            port = urlsplit(os.environ["AZ_BATCH_ACCOUNT_URL"]).port
            sockets = [socket.create_connection(("127.0.0.1", port), 60) for _ in range(200)]
            for each in sockets:
                each.sendall(b"GET /health HTTP/1.1\\r\\nHost: door\\r\\nConnection: close\\r\\n\\r\\n")
            def whole(sock):
                data = b""
                while more := sock.recv(4096):
                    data += more
                return data
            print(json.dumps([whole(each).startswith(b"HTTP/1.1 200") for each in sockets]))
            """,
        )
        add(world, ask)
        assert answers(world) == [True] * 200


def test_half_a_connection_gets_its_answer(tmp_path: Path) -> None:
    with World(tmp_path / "state") as world:
        world.pool(target_dedicated_nodes=1)
        ask = script(
            tmp_path / "ask.py",
            """
            import socket
            from urllib.parse import urlsplit
            sock = socket.create_connection(("127.0.0.1", urlsplit(os.environ["AZ_BATCH_ACCOUNT_URL"]).port), 60)
            sock.sendall(b"GET /health HTTP/1.1\\r\\nHost: door\\r\\n\\r\\n")
            sock.shutdown(socket.SHUT_WR)
            data = b""
            while more := sock.recv(4096):
                data += more
            print(json.dumps(data.decode()))
            """,
        )
        add(world, ask)
        assert answers(world).startswith("HTTP/1.1 200")


def test_the_socket_answers_people_and_goes_with_the_controller(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 90) / "state"  # longer than the path of a socket may be
    deep.parent.mkdir()
    with World(deep) as world:
        with client(deep) as http:
            found = http.get("/health").json()
            assert found["pid"] == os.getpid() and found["deployment"] == world.controller.deployment.id
            missing = http.get("/nowhere")
            assert missing.status_code == 404 and missing.json()["code"] == "ResourceNotFound"
        world.stop()
        assert not (deep / "controller.sock").exists()
        with pytest.raises(httpx.ConnectError), client(deep):
            pass
        world.start()
        with client(deep) as http:
            assert http.get("/health").status_code == 200

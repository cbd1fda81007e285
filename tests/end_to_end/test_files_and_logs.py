"""Files of tasks and nodes through a running controller: over its socket, and by the commands that people use."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import quote

import pytest

from runner import TaskState
from service.controller_socket import client

from .world import PATIENCE, World

SCRIPT = "mkdir -p deep/er; printf 0123456789 > deep/er/digits; echo one; echo two; echo three; echo oops >&2"


def ebbtide(world: World, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "service", *words, "--state", str(world.state.path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


@pytest.fixture
def done(world: World) -> World:
    world.pool(target_dedicated_nodes=1)
    world.job(f"/bin/sh -c '{SCRIPT}'")
    world.wait_completed()
    return world


def test_the_files_of_a_task_over_http(done: World) -> None:
    with client(done.state.path) as http:
        task = "/jobs/job/tasks/t0/files"
        listed = http.get(task).json()
        assert [(e["name"], e["isDirectory"]) for e in listed["value"]] == [
            ("stderr.txt", False), ("stdout.txt", False), ("wd", True),
        ]  # fmt: skip
        properties = listed["value"][1]["properties"]
        assert properties["contentLength"] == "14" and properties["contentType"] == "text/plain"
        deep = http.get(task, params={"recursive": "true", "$filter": "startswith(name, 'wd/deep')"}).json()
        assert [e["name"] for e in deep["value"]] == ["wd/deep", "wd/deep/er", "wd/deep/er/digits"]
        first = http.get(task, params={"maxresults": "2"}).json()
        rest = http.get(first["odata.nextLink"]).json()
        assert [e["name"] for e in (*first["value"], *rest["value"])] == ["stderr.txt", "stdout.txt", "wd"]
        assert "odata.nextLink" not in rest

        digits = f"{task}/wd%2Fdeep%2Fer%2Fdigits"
        assert http.get(digits).content == http.get(digits.replace("%2F", "%5C")).content == b"0123456789"
        for name, asked, status, found in [
            ("ocp-range", "bytes=2-4", 200, b"234"),
            ("Range", "bytes=8-", 206, b"89"),
            ("ocp-range", "bytes=-3", 200, b"789"),
            ("ocp-range", "bytes=5-999", 200, b"56789"),
        ]:
            answer = http.get(digits, headers={name: asked})
            assert (answer.status_code, answer.content) == (status, found)
        (node,) = done.nodes()
        there = f"{node.vm.node_root}/workitems/job/job-1/t0/wd/deep/er/digits"
        for absolute in (there, there.replace("/", "\\")):
            assert http.get(f"{task}/{quote(absolute, safe='')}").content == b"0123456789"
            at_node = f"/pools/pool/nodes/{done.task().last_node_id}/files/{quote(absolute)}"
            assert http.get(at_node).content == b"0123456789"
        beyond = http.get(digits, headers={"ocp-range": "bytes=10-"})
        assert (beyond.status_code, beyond.json()["code"]) == (416, "InvalidRange")
        head = http.head(digits)
        assert head.headers["content-length"] == "10" and head.headers["ocp-batch-file-isdirectory"] == "false"
        for name in ("last-modified", "ocp-creation-time", "ocp-batch-file-url", "ocp-batch-file-mode"):
            assert head.headers[name]
        assert http.head(f"{task}/wd").headers["ocp-batch-file-isdirectory"] == "true"
        fresh = {"If-Modified-Since": head.headers["last-modified"]}
        assert http.get(digits, headers=fresh).status_code == 304
        assert http.get(digits, headers={"If-Unmodified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"}).status_code == 412

        for path, status, code in [
            ("/jobs/none/tasks/t0/files", 404, "JobNotFound"),
            ("/jobs/job/tasks/none/files", 404, "TaskNotFound"),
            (f"{task}/no-such", 404, "FileNotFound"),
            (f"{task}/wd%2F..%2F..%2F..%2F..%2F..%2F.ebbtide%2Fspool", 404, "FileNotFound"),
            (f"{task}?maxresults=0", 400, "InvalidQueryParameterValue"),
            (f"{task}?$filter=size eq 'x'", 400, "InvalidQueryParameterValue"),
            ("/pools/pool/nodes/none/files", 404, "NodeNotFound"),
        ]:
            answer = http.get(path)
            assert (answer.status_code, answer.json()["code"]) == (status, code), path

        refused = http.delete(f"{task}/wd%2Fdeep")
        assert (refused.status_code, refused.json()["code"]) == (409, "DirectoryNotEmpty")
        assert http.delete(f"{task}/wd%2Fdeep", params={"recursive": "true"}).status_code == 200
        assert http.head(f"{task}/wd%2Fdeep").status_code == 404

        node = done.task().last_node_id
        files = f"/pools/pool/nodes/{node}/files"
        assert "workitems" in {e["name"] for e in http.get(files).json()["value"]}
        assert http.get(f"{files}/workitems/job/job-1/t0/stderr.txt").text == "oops\n"


def test_the_commands(done: World, tmp_path: Path) -> None:
    assert ebbtide(done, "logs", "job", "t0").stdout == "one\ntwo\nthree\n"
    assert ebbtide(done, "logs", "job", "t0", "--tail", "2").stdout == "two\nthree\n"
    assert ebbtide(done, "logs", "job", "t0", "--stderr", "--follow").stdout == "oops\n"
    listed = json.loads(ebbtide(done, "files", "job", "t0", "wd", "-r", "--json").stdout)
    assert [entry["name"] for entry in listed] == ["wd/deep", "wd/deep/er", "wd/deep/er/digits"]
    assert ebbtide(done, "files", "job", "t0", "wd/deep/er/digits", "--range", "3-5").stdout == "345"
    assert ebbtide(done, "files", "job", "t0", "wd/deep/er/digits", "-o", str(tmp_path / "got")).returncode == 0
    assert (tmp_path / "got").read_bytes() == b"0123456789"
    node = done.task().last_node_id
    assert "workitems/" in ebbtide(done, "files", "--node", "pool", node).stdout
    missing = ebbtide(done, "files", "job", "t0", "wd/none")
    assert missing.returncode == 1 and "there is no 'wd/none' on node" in missing.stderr

    done.drain()
    assert ebbtide(done, "logs", "job", "t0").stdout == "one\ntwo\nthree\n"
    left = ebbtide(done, "files", "job", "t0")
    assert [line.split()[-1] for line in left.stdout.splitlines()[1:]] == ["stderr.txt", "stdout.txt"]
    gone = ebbtide(done, "files", "job", "t0", "wd/deep/er/digits")
    assert gone.returncode == 1 and "is not connected" in gone.stderr and "stdout.txt" in gone.stderr
    done.stop()
    offline = ebbtide(done, "files", "job", "t0", "stdout.txt")
    assert offline.stdout == "one\ntwo\nthree\n", offline.stderr
    assert ebbtide(done, "logs", "job", "t0", "-f", "--tail", "1").stdout == "three\n"
    done.start()


def test_logs_follow_a_task_that_is_requeued(world: World, tmp_path: Path) -> None:
    """It prints until its first node dies under it, and then what the next execution prints, to the end."""
    gate, first = tmp_path / "gate", tmp_path / "first"
    again = f"until test -e {gate}; do sleep 0.05; done; echo ends"
    script = f"echo begins; if test -e {first}; then {again}; else touch {first}; sleep 600; fi"
    world.pool(target_low_priority_nodes=1)
    world.job(f"/bin/sh -c '{script}'")
    command = [sys.executable, "-m", "service", "logs", "job", "t0", "--follow", "--state", str(world.state.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as logs:
        killer = threading.Timer(PATIENCE, logs.kill)
        killer.start()
        try:
            assert logs.stdout is not None and logs.stderr is not None
            assert logs.stdout.readline() == "begins\n"
            world.wait(first.exists, "the first execution")
            (node,) = [node for node in world.nodes() if node.id == world.task().node_id]
            world.controller.providers["local"].preempt(node.vm_name)
            assert logs.stdout.readline() == "begins\n"
            world.wait(lambda: world.task().state is TaskState.RUNNING, "the next execution")
            gate.touch()
            out, err = logs.communicate()
        finally:
            killer.cancel()
    assert (out, logs.returncode) == ("ends\n", 0)
    assert "was started again" in err
    assert world.task().requeue_count == 1

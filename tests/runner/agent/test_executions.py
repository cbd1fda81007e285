"""What a task is given, and what comes of it."""

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .node import Message, Node, wait_until


def content(part: Message) -> bytes | None:
    if "base64" in part:
        return base64.b64decode(part["base64"])
    return part["text"].encode() if "text" in part else None


def test_a_task_gets_its_folders_and_a_clean_environment(node: Node) -> None:
    hello = node.connect(AZ_BATCH_POOL_ID="p", COMMON="base")
    assert hello["slots"] == 0 and hello["executions"] == [] and hello["root"] == str(node.root)
    node.start("t-1", "sh", "-c", "pwd; env; readlink /proc/self/fd/* >&2; cat", env={"COMMON": "own", "X": "é\n"})
    done = node.outcome("t-1")
    assert (done["exit"], done["signal"], done["error"], done["killed"], done["timeout"]) == (
        0,
        None,
        None,
        False,
        False,
    )
    assert done["dir"] == "workitems/j/job-1/t-1"
    out = content(done["stdout"])
    assert out is not None
    wd, *env = out.decode().split("\n")
    assert wd == str(node.folder("t-1") / "wd")
    assert {
        "AZ_BATCH_POOL_ID=p",
        "COMMON=own",
        "X=é",
        "EBBTIDE_EXECUTION=t-1",
        f"EBBTIDE_NODE={node.name}",
    } <= set(env)
    assert not [line for line in env if line.startswith(("SECRET", "EBBTIDE_LIFELINE", "PYTHON", "COMMON=base"))]
    assert (node.folder("t-1") / "stdout.txt").read_bytes() == out
    descriptors = (node.folder("t-1") / "stderr.txt").read_text().split("\n")
    assert not [line for line in descriptors if line.startswith(("socket:", "pipe:")) or ".ebbtide" in line]
    assert done["start"] <= done["end"] and set(done["usage"]) == {"user", "sys", "maxrss"}
    for name in ("shared", "startup", "applications", "workitems"):
        assert (node.root / name).is_dir()


@pytest.fixture
def small_disk(node: Node) -> Iterator[None]:
    node.root.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(node.root)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root")
    yield
    node.end()
    subprocess.run(["umount", "-l", node.root], check=True)


@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_is_told_of_what_ends_on_it(node: Node) -> None:
    node.connect(slots=1)
    for key, script, exit_code, full in (
        ("before", "echo x", 0, False),
        ("fills", "cat /dev/zero > big; true", 0, True),
        ("prints", "seq 5000", 1, True),
        ("hides", "seq 5000; true", 0, True),
        ("frees", "rm ../../fills/wd/big", 0, False),
    ):
        node.sh(key, script)
        done = node.outcome(key)
        assert (done["exit"], done.get("full", False)) == (exit_code, full), key
    assert node.outcome("hides")["stdout"]["size"] == 0, "or nothing has been lost"


ENDINGS: list[tuple[str, int | None, int | None]] = [
    ("exit 0", 0, None),
    ("exit 1", 1, None),
    ("exit 255", 255, None),
    ("kill -9 $$", None, signal.SIGKILL),
    ("kill -15 $$", None, signal.SIGTERM),
    ("kill -11 $$", None, signal.SIGSEGV),
    ("kill -13 $$", None, signal.SIGPIPE),
    ("kill -1 $$", None, signal.SIGHUP),
]


def test_exit_codes_and_signals(node: Node) -> None:
    node.connect()
    for number, (script, _, _) in enumerate(ENDINGS):
        node.sh(f"t{number}", script)
    for number, (_, code, signum) in enumerate(ENDINGS):
        done = node.outcome(f"t{number}")
        assert (done["exit"], done["signal"]) == (code, signum), ENDINGS[number]


FAILURES: list[tuple[list[str], str, str]] = [
    (["no-such-program"], "CommandProgramNotFound", "no-such-program"),
    (["/no/such/program"], "CommandProgramNotFound", "/no/such/program"),
    (["./here"], "CommandProgramNotFound", "./here"),
    (["/etc/passwd"], "CommandLaunchFailed", "x bit"),
    (["/"], "CommandLaunchFailed", "is a folder"),
    ([], "CommandLaunchFailed", "empty"),
    (["true", "a\0b"], "CommandLaunchFailed", "null"),
    (["x" * 5000], "CommandProgramNotFound", "install it"),
]


def test_programs_that_cannot_be_started(node: Node) -> None:
    node.connect()
    for number, (argv, _, _) in enumerate(FAILURES):
        node.start(f"t{number}", *argv)
    for number, (argv, code, words) in enumerate(FAILURES):
        done = node.outcome(f"t{number}")
        assert done["exit"] is None and done["signal"] is None
        assert done["error"]["code"] == code and words in done["error"]["message"], (argv, done)
    script = node.root / "shared/no-interpreter-line"
    script.write_text("echo hello\n")
    script.chmod(0o755)
    node.start("script", str(script))
    assert "#!" in node.outcome("script")["error"]["message"]


HOSTILE: list[tuple[Any, bool]] = [
    ("../x", False),
    ("workitems/../../x", False),
    ("/tmp/x", False),
    ("workitems//x", False),
    ("workitems/./x", False),
    ("", False),
    (None, False),
    ("workitems/a\0b", False),
    (".ebbtide/slots/0", False),
    ("workitems/" + "x" * 300, False),
    ("workitems/out/x", False),  # `out` is a link to the outside
    ("workitems/inner-link", False),
    ("workitems/new\nline", True),
    ("workitems/-rf \"quoted' é", True),
]


def test_folders_stay_below_the_root(node: Node, tmp_path: Path) -> None:
    node.connect()
    outside = tmp_path / "outside"
    outside.mkdir()
    (node.root / "workitems").mkdir(exist_ok=True)
    (node.root / "workitems/out").symlink_to(outside)
    (node.root / "workitems/inner-link").symlink_to(outside)
    for number, (path, _) in enumerate(HOSTILE):
        node.start(f"t{number}", "sh", "-c", "pwd", dir=path)
    for number, (path, fine) in enumerate(HOSTILE):
        done = node.outcome(f"t{number}")
        if fine:
            assert done["stdout"]["text"] == f"{node.root}/{path}/wd\n"
        else:
            assert done["error"] is not None and done["exit"] is None, path
    assert not [path for path in outside.rglob("*") if path.is_file()]
    assert not (tmp_path / "x").exists() and not (node.root.parent / "x").exists()


SIZES = [0, 1, 100, 65535, 65536, 65537, 1 << 20, 5 << 20]
WRITE = (
    "import os,sys; n=int(sys.argv[1]);"
    "sys.stdout.buffer.write(os.urandom(n)); sys.stderr.write('é\\0\\r\\n' * (n // 8))"
)


def test_outputs_are_exact(node: Node) -> None:
    node.connect()
    for size in SIZES:
        node.start(f"t{size}", sys.executable, "-I", "-S", "-X", "utf8", "-c", WRITE, str(size))
    for size in SIZES:
        done = node.outcome(f"t{size}")
        assert done["exit"] == 0, done
        for name, expected in (("stdout", size), ("stderr", size // 8 * 5)):
            written = (node.folder(f"t{size}") / f"{name}.txt").read_bytes()
            assert len(written) == expected == done[name]["size"]
            assert content(done[name]) == (written if expected <= 65536 else None)


STUBBORN = "trap '' TERM; (trap '' TERM; setsid sleep 1000) & echo up; while :; do sleep 1; done"
POLITE = "trap 'echo saved; exit 3' TERM; echo up; while :; do sleep 0.02; done"
CHILD_SAVES = "sh -c 'trap \"sleep 0.3; echo saved; exit\" TERM; echo up; while :; do sleep 0.02; done'; echo never"


@pytest.mark.parametrize(
    ("script", "grace", "says", "at_least"),
    [
        (STUBBORN, 0.3, "up\n", 0.3),
        (POLITE, 1000, "up\nsaved\n", 0),
        (CHILD_SAVES, 1000, "up\nsaved\n", 0.3),
    ],
)
def test_kill(node: Node, script: str, grace: float, says: str, at_least: float) -> None:
    """The outcome comes long before a grace of 1000 s is over, whether the task's own or the kill's."""
    node.connect(slots=1)
    node.sh("t", script, grace=1000)
    wait_until(lambda: (node.folder("t") / "stdout.txt").exists() and (node.folder("t") / "stdout.txt").read_text())
    began = time.monotonic()
    node.say({"op": "kill", "id": "t", "grace": grace})
    done = node.outcome("t")
    assert at_least <= time.monotonic() - began
    assert done["killed"] is True and done["timeout"] is False and done["stdout"]["text"] == says
    assert len(node.processes()) == 2, "more lives than the agent and the supervisor"


@pytest.mark.parametrize("again", [False, True])
def test_a_kill_after_the_wall_limit_does_not_hide_it(node: Node, again: bool) -> None:
    """It may shorten the grace time; what came first is told."""
    node.connect(slots=1)
    node.sh("t", "trap 'touch ended' TERM; echo up; while :; do sleep 0.02; done", wall=0.3, grace=1000)
    wait_until(lambda: (node.folder("t") / "wd" / "ended").exists())
    node.say({"op": "kill", "id": "t", "grace": 0.1, "again": again})
    done = node.outcome("t")
    assert (done["timeout"], done["killed"]) == (True, False)


def test_the_wall_limit_holds_without_an_agent(node: Node) -> None:
    node.connect(slots=2)
    node.sh("t1", "echo up; sleep 1000", wall=2, grace=0.1)
    node.sh("t2", "setsid sleep 1000 & exec sleep 1000", wall=0.3)
    node.started("t1"), node.started("t2")
    node.kill_agent()
    node.reaped("0", "1")
    known = {e["id"]: e for e in node.connect(slots=2)["executions"]}
    assert known["t1"]["state"] == "finished" and known["t1"]["timeout"] is True
    assert known["t1"]["stdout"]["text"] == "up\n" and known["t2"]["timeout"] is True


def test_bad_messages_are_told_and_change_nothing(node: Node) -> None:
    node.connect()
    assert node.agent is not None and node.agent.stdin is not None
    node.agent.stdin.write(b'not json\n[1]\n{"op":"fly"}\n{"no":"op"}\n')
    node.start('a"b', "true")
    node.start("x" * 200, "true")
    node.say({"op": "start", "id": "no-argv", "dir": "workitems/x"})
    assert node.outcome("no-argv")["error"]["code"] == "CommandLaunchFailed"
    node.settle()
    assert node.count("error") == 6
    node.start("t", "true")
    assert node.outcome("t")["exit"] == 0


def test_it_runs_on_an_unusual_environment(node: Node) -> None:
    node.connect()
    node.sh("t", "echo $PATH", env={"PATH": "/nowhere:/bin:/usr/bin", "É": "ü"})
    node.start("rel", "tool", env={"PATH": ".:/bin"})
    assert node.outcome("t")["stdout"]["text"] == "/nowhere:/bin:/usr/bin\n"
    assert node.outcome("rel")["error"]["code"] == "CommandProgramNotFound"
    tool = node.folder("rel") / "wd/tool"
    tool.write_text("#!/bin/sh\necho found\n")
    tool.chmod(0o755)
    node.start("rel-2", "tool", env={"PATH": ".:/bin"}, dir="workitems/j/job-1/rel")
    assert node.outcome("rel-2")["stdout"]["text"] == "found\n"
    assert json.dumps(node.messages)  # nothing unprintable came through
    assert os.path.exists(node.folder("rel") / "stdout.txt")

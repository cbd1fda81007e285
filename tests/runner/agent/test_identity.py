"""Who tasks run as, and what they can do to each other, to the node and to its agent."""

import json
import os
from pathlib import Path

import pytest

from runner.agent.accounts import NUMERIC
from runner.agent.identity import BASE, SPAN

from .node import Message, Node, alive, wait_until

SEPARATE: Message = {"separate": True, "accounts": [{"name": "alice"}, {"name": "chief", "admin": True}]}
TASK = {"scope": "task"}
POOL = {"scope": "pool"}
ADMIN = {"scope": "pool", "admin": True}
WHO = "import json,os; print(json.dumps([*os.getresuid(), *os.getresgid(), *os.getgroups()]))"
CAPS = "grep -h ^Cap /proc/self/status | cut -f2"


def who(node: Node, key: str, user: Message | None = None, **more: object) -> list[int]:
    node.start(key, "/usr/bin/env", "python3", "-I", "-c", WHO, user=user, **more)
    done = node.outcome(key)
    assert done["exit"] == 0, done
    ids: list[int] = json.loads(done["stdout"]["text"])
    return ids


def test_each_runs_as_whom_it_asked_for_and_has_no_way_back(open_node: Node) -> None:
    node = open_node
    node.connect(users=SEPARATE)
    assert who(node, "default") == [NUMERIC] * 6
    assert who(node, "pool", {"scope": "pool"}) == [NUMERIC] * 6
    assert who(node, "alice", {"name": "alice"}) == [NUMERIC + 1] * 6
    assert who(node, "chief", {"name": "chief"}) == [0] * 6
    assert who(node, "admin", ADMIN) == [0] * 6
    assert who(node, "task-admin", {"scope": "task", "admin": True}) == [0] * 6
    seen = {tuple(who(node, f"task{number}", TASK)) for number in range(3)}
    assert len(seen) == 3, "a user id was given twice"
    for ids in seen:
        assert len(set(ids)) == 1 and len(ids) == 6 and BASE <= ids[0] < BASE + SPAN
    node.sh("caps", CAPS, user=TASK)
    # inheritable, permitted, effective, bounding, ambient
    rights = node.outcome("caps")["stdout"]["text"].split()
    assert [rights[at] for at in (1, 2, 4)] == ["0" * 16] * 3


def test_environment_of_users(open_node: Node) -> None:
    node = open_node
    node.connect(users=SEPARATE)
    node.sh("pool", 'echo $HOME $USER; touch "$HOME/x" && pwd')
    assert node.outcome("pool")["stdout"]["text"].startswith(f"{node.root}/home/_azbatch _azbatch\n")
    assert node.outcome("pool")["exit"] == 0
    node.sh("task", 'touch "$HOME/x" "$TMPDIR/y" z && mktemp && ls ..', user=TASK)
    done = node.outcome("task")
    assert done["exit"] == 0 and done["stdout"]["text"].startswith(f"{node.folder('task')}/tmp/tmp.")
    node.sh("own", "echo $HOME $USER", user=TASK, env={"HOME": "/mine", "USER": "me"})
    assert node.outcome("own")["stdout"]["text"] == "/mine me\n"
    node.sh("chief", "echo $USER", user={"name": "chief"})
    assert node.outcome("chief")["stdout"]["text"] == "chief\n"


def test_a_node_that_others_cannot_reach_refuses_with_the_cure(node: Node) -> None:
    if os.getuid():
        pytest.skip("only root can become other users")
    node.root.parent.chmod(0o700)
    node.connect(users=SEPARATE)
    for key, user in (("t", TASK), ("p", None), ("a", {"name": "alice"})):
        node.start(key, "true", user=user)
        error = node.outcome(key)["error"]
        assert error["code"] == "UserIdentityUnavailable" and "chmod o+x" in error["message"]
    node.start("admin", "true", user=ADMIN)
    assert node.outcome("admin")["exit"] == 0


#: What a task tries on another, which runs in ../../victim, with its process in $PID; each must fail
READING = [
    "cat ../../victim/wd/secret",
    "cat ../../victim/stdout.txt",
    "ls ../../victim",
    "ls \"$NODE\"/workitems/j/job-1/victim/wd",
    "ln -s ../../victim/wd/secret link && cat link",
    "ln ../../victim/wd/secret hard",
    "cp -r ../../victim .",
    'cat "../../victim/wd/new\nline"',
    "cat -- '../../victim/wd/-rf'",
    "cat '../../victim/wd/\"quoted\"'",
]
#: Until the supervisor is root again, who was the task's user in the moment that spawned it (see identity.py).
BACK_AS_ROOT = "until grep -q '^Uid:[[:space:]]*0' /proc/$SUPERVISOR/status; do :; done"
ATTACKS = [
    *READING,
    "kill $PID",
    "kill -9 $PID",
    "cat /proc/$PID/environ | grep .",
    "cat /proc/$PID/cwd/secret",
    "cat /proc/$PID/fd/1",
    "ls /proc/$PID/root/",
    "dd if=/proc/$PID/mem bs=1 count=1",
    "python3 -c 'import ctypes,sys; sys.exit(ctypes.CDLL(None).ptrace(16, int(sys.argv[1]), 0, 0) != 0)' $PID",
    "touch ../../victim/wd/x",
    "mkdir ../../mine",
    "mv ../../victim ../../gone",
    "rm -rf ../../victim",
    "touch \"$NODE\"/startup/x",
    "touch \"$NODE\"/startup/wd/x",
    "echo x >> \"$NODE\"/startup/stdout.txt",
    "touch \"$NODE\"/applications/x",
    "touch \"$NODE\"/shared/x",
    "touch \"$NODE\"/x",
    "ls \"$NODE\"/.ebbtide",
    "cat \"$NODE\"/.ebbtide/slots/0/spool",
    "ls \"$NODE\"/.ebbtide/slots",
    "cat \"$NODE\"/.ebbtide/slots/0/log",
    "echo x > \"$NODE\"/.ebbtide/heard",
    "python3 -c 'import os; os.setuid(0)'",
    "python3 -c 'import os; os.setresuid(0, 0, 0)'",
    "python3 -c 'import os; os.setgid(0)'",
    "chown 0 .",
    *(f"{BACK_AS_ROOT}; kill -{signal} $SUPERVISOR" for signal in ("9", "STOP")),
]

VICTIM = r"""
echo token > secret; touch -- '-rf' '"quoted"' 'new
line'; chmod -R a+rwX . ..
echo printed; touch ready; while :; do sleep 0.05; done
"""


def test_tasks_of_their_own_users_cannot_get_at_anything_of_others(open_node: Node) -> None:
    node = open_node
    node.connect(slots=2, users=SEPARATE)
    node.sh("s", "touch made", kind="startup", dir="startup")
    assert node.outcome("s")["exit"] == 0
    node.sh("victim", VICTIM, user=TASK, env={"SECRET": "token"})
    pid = node.started("victim")["pid"]
    wait_until((node.folder("victim") / "wd/ready").exists)
    os.chmod(node.folder("victim"), 0o700)  # its own user may open it to all; this one did, and is closed again
    env = {"PID": str(pid), "NODE": str(node.root), "SUPERVISOR": str(node.supervisor("0"))}
    for number, attack in enumerate(READING):
        node.sh(f"r{number}", attack, user=ADMIN, env=env)
        assert node.outcome(f"r{number}")["exit"] == 0, (attack, "does not even work for root")
    for number, attack in enumerate(ATTACKS):
        node.sh(f"a{number}", attack, user=TASK, env=env)
    for number, attack in enumerate(ATTACKS):
        done = node.outcome(f"a{number}")
        assert done["op"] == "finished" and done["error"] is None, (attack, done)
        assert done["exit"] != 0, (attack, done)
        assert "token" not in done["stdout"]["text"]
    assert alive(pid), "it was ended by another"
    node.say({"op": "kill", "id": "victim", "grace": 0})
    assert node.outcome("victim")["stdout"]["text"] == "printed\n"
    assert (node.folder("victim") / "wd/secret").read_text() == "token\n"


def test_tasks_of_the_pool_share_and_do_not_reach_the_node(open_node: Node) -> None:
    node = open_node
    node.connect(slots=1, users=SEPARATE)
    node.sh("s", "echo made > made; mkdir d; touch d/x; touch kept ; echo out", kind="startup", dir="startup")
    assert node.outcome("s")["exit"] == 0
    env = {"NODE": str(node.root)}
    node.sh("one", 'echo hello > "$NODE/shared/x"; echo mine > own', env=env)
    assert node.outcome("one")["exit"] == 0
    node.sh("two", 'cat "$NODE/shared/x" ../../one/wd/own "$NODE/startup/wd/made"', env=env)
    assert node.outcome("two")["stdout"]["text"] == "hello\nmine\nmade\n"
    forbidden = [
        "cat \"$NODE\"/.ebbtide/slots/0/spool",
        "ls \"$NODE\"/.ebbtide",
        "touch \"$NODE\"/startup/x",
        "touch \"$NODE\"/startup/wd/x",
        "touch \"$NODE\"/startup/wd/d/y",
        "echo x >> \"$NODE\"/startup/wd/kept",
        "rm -rf \"$NODE\"/startup/wd/d",
        "touch \"$NODE\"/applications/x",
        "touch ../../x",
        "ls ../../private",
    ]
    node.sh("private", "true", user=TASK)
    node.outcome("private")
    for number, attack in enumerate(forbidden):
        node.sh(f"f{number}", attack, env=env)
        assert node.outcome(f"f{number}")["exit"] != 0, attack
    node.sh("peek", "cat ../../one/wd/own ../../one/stdout.txt", user=TASK)
    assert node.outcome("peek")["stdout"]["text"] == "", "a task of its own user reads what the pool's tasks wrote"


def test_what_a_task_left_is_closed_and_taken_over_by_its_next_attempt(open_node: Node) -> None:
    node = open_node
    node.connect(slots=1, users=SEPARATE)
    leaves = "echo 1 > kept; mkdir d; echo 2 > d/x; ln -s /etc/passwd link; ln kept hard; id -u"
    node.sh("t-1", leaves, user=TASK, dir="workitems/j/t")
    first = int(node.outcome("t-1")["stdout"]["text"])
    folder = node.root / "workitems/j/t"
    before = os.stat("/etc/passwd").st_uid
    assert folder.stat().st_uid == 0 and folder.stat().st_mode & 0o777 == 0o700
    foreign = folder / "wd/foreign"
    foreign.touch()  # as a hard link to somebody's file would look
    node.sh("t-2", "cat kept d/x; echo 3 >> d/x; echo 4 >> hard; id -u", user=TASK, dir="workitems/j/t")
    done = node.outcome("t-2")
    second = int(done["stdout"]["text"].split()[-1])
    assert done["exit"] == 0 and second != first and done["stdout"]["text"].startswith("1\n2\n")
    assert foreign.stat().st_uid == 0 and os.stat("/etc/passwd").st_uid == before
    assert (folder / "wd/d/x").stat().st_uid == second


def test_outputs_are_never_written_through_what_a_task_put_there(open_node: Node, tmp_path: Path) -> None:
    node = open_node
    node.connect(slots=1, users=SEPARATE)
    target = node.root / "precious"
    target.write_text("precious")
    node.sh("t-1", "cd ..; rm stdout.txt stderr.txt; mkfifo stderr.txt; echo x", dir="workitems/j/t")
    assert node.outcome("t-1")["exit"] == 0
    os.link(target, node.root / "workitems/j/t/stdout.txt")
    node.sh("t-2", "echo y", dir="workitems/j/t")
    assert node.outcome("t-2")["stdout"]["text"] == "y\n"
    assert target.read_text() == "precious" and target.stat().st_uid == 0


ESCAPE = (
    "(setsid env -i sh -c 'echo $$ > pid; exec sleep 1000' &) ; "
    "python3 -c 'import os,time\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\n"
    'open("pid2","w").write(str(os.getpid())); os.closerange(0, 99); time.sleep(1000)\'; '
    "while ! test -s pid || ! test -s pid2; do sleep 0.01; done; sleep 1000"
)


@pytest.mark.parametrize("user", [TASK, {"scope": "pool"}, ADMIN])
def test_nobody_outlives_the_time_limit(open_node: Node, user: Message) -> None:
    node = open_node
    node.connect(slots=1, users=SEPARATE)
    node.sh("t", ESCAPE, user=user, wall=2.0, grace=0.1)
    assert node.outcome("t")["timeout"] is True
    pids = [int((node.folder("t") / "wd" / name).read_text()) for name in ("pid", "pid2")]
    assert not any(alive(pid) for pid in pids)


def test_a_full_disk_still_records_the_exit_of_another_user(open_node: Node) -> None:
    import subprocess

    node = open_node
    node.root.mkdir()
    options = ["-t", "tmpfs", "-o", "size=4m,mode=755", "tmpfs", str(node.root)]
    if subprocess.run(["mount", *options], check=False, capture_output=True).returncode:
        pytest.skip("cannot mount a tmpfs here")
    try:
        node.connect(slots=1, users=SEPARATE)
        node.sh("fills", "dd if=/dev/zero of=big bs=64k; dd if=/dev/zero of=big2 bs=1; exit 6", user=TASK)
        assert node.outcome("fills")["exit"] == 6
        node.kill_agent()
        assert [each["exit"] for each in node.connect(slots=1)["executions"]] == [6]
    finally:
        node.end()
        subprocess.run(["umount", "--lazy", str(node.root)], check=True)


def test_a_task_whose_supervisor_died_leaves_nothing_that_runs(open_node: Node) -> None:
    node = open_node
    node.connect(slots=1, users=SEPARATE)
    node.sh("t", "(setsid env -i sh -c 'echo $$ > pid; exec sleep 1000' &); sleep 1000", user=TASK)
    pid = node.folder("t") / "wd/pid"
    wait_until(lambda: pid.exists() and pid.read_text())
    os.kill(node.supervisor("0"), 9)
    assert node.outcome("t")["op"] == "lost"
    wait_until(lambda: not alive(int(pid.read_text())))

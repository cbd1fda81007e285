"""Reading /proc: zombies are dead, odd names do not confuse, and the sweep reaches what it should."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from providers.names import carries
from providers.processes import MARKER, look_up, marker_of
from providers.sweep import StubbornProcessesError, end_all

from .conftest import running, wait_until

A = f"sweep{os.getpid()}-a"


def test_a_zombie_is_dead() -> None:
    with running(["sleep", "600"]) as child:
        assert look_up(child.pid) is not None
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert Path(f"/proc/{child.pid}").exists()
        assert look_up(child.pid) is None
    assert look_up(child.pid) is None


def test_a_name_with_parentheses_does_not_confuse(tmp_path: Path) -> None:
    program = tmp_path / "a) Z 1 (b"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    with running([program, "600"], start_new_session=True) as child:
        row = wait_until(lambda: look_up(child.pid))
        assert (row.id.pid, row.parent, row.group) == (child.pid, os.getpid(), child.pid)


def test_the_sweep_ends_the_marked_their_descendants_and_no_others() -> None:
    script = "env -i sleep 600 & echo $!; exec sleep 600"
    ours = running(["sh", "-c", script], env={**os.environ, MARKER: A}, stdout=subprocess.PIPE)
    other = running(["sleep", "600"], env={**os.environ, MARKER: A + "b"})
    with ours as our, other as stranger:
        assert our.stdout is not None
        hidden = int(our.stdout.readline())
        wait_until(lambda: marker_of(our.pid) == A)  # it is executing the next program just now
        wait_until(lambda: marker_of(hidden) is None)
        assert end_all(A.__eq__) == 2
        assert look_up(our.pid) is None and look_up(hidden) is None
        assert look_up(stranger.pid) is not None
        assert end_all(A.__eq__) == 0


def test_the_sweep_is_over_only_when_what_it_killed_is_gone() -> None:
    """A big process takes a while to go, and during that time it has no environment to be known by."""
    fill = "block = bytearray(200 << 20); block[::4096] = b'1' * len(block[::4096]); print(flush=True); input()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with running([sys.executable, "-c", fill], env={**os.environ, MARKER: A}, **pipes) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert end_all(A.__eq__) == 1
        assert look_up(child.pid) is None


def test_a_process_whose_main_thread_has_ended_lives_and_is_swept() -> None:
    script = """
import ctypes, threading
threading.Thread(target=threading.Event().wait).start()
ctypes.CDLL(None).pthread_exit(None)
"""
    with running([sys.executable, "-c", script], env={**os.environ, MARKER: A}) as child:
        wait_until(lambda: ") Z " in Path(f"/proc/{child.pid}/stat").read_text())
        assert len(os.listdir(f"/proc/{child.pid}/task")) == 2
        assert look_up(child.pid) is not None
        assert marker_of(child.pid) == A
        assert end_all(A.__eq__) == 1
        assert look_up(child.pid) is None


def test_a_process_that_cannot_be_ended_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.sweep._send", lambda process, number: None)
    with running(["sleep", "600"], env={**os.environ, MARKER: A}) as child:
        with pytest.raises(StubbornProcessesError, match=str(child.pid)):
            end_all(A.__eq__, within=0.05)
        assert look_up(child.pid) is not None


@pytest.mark.parametrize(
    ("name", "deployment", "is_carried"),
    [
        ("d1-n1", "d1", True),
        ("eb-d1-n1", "d1", True),
        ("n1-d1", "d1", True),
        ("d1", "d1", True),
        ("d12-n1", "d1", False),
        ("xd1-n1", "d1", False),
        ("a-b-n1", "a-b", True),
        ("a-bc-n1", "a-b", False),
    ],
)
def test_a_name_carries_a_deployment_as_a_whole_part(name: str, deployment: str, is_carried: bool) -> None:
    assert carries(name, deployment) is is_carried


def test_importing_the_package_is_cheap_and_a_node_process_knows_no_cloud() -> None:
    for modules in ("providers", "providers.local.node, providers.local.session, providers.local.host_key"):
        heavy = "{'libcloud', 'boto3', 'requests', 'msgspec'}" if "local" in modules else "{'libcloud', 'paramiko'}"
        script = f"import sys; import {modules}; sys.exit(str({heavy} & set(sys.modules) or ''))"
        root = Path(__file__).parents[2]
        done = subprocess.run([sys.executable, "-c", script], cwd=root, check=False, capture_output=True, text=True)
        assert done.stderr.strip() == ""

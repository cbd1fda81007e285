"""The script of the first boot, run for real: in a small machine of its own, by each shell that images have."""

import os
import shlex
import shutil
import stat
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import paramiko
import pytest

from providers.bootstrap import BOOTING_FILE, HEARD_FILE, LARGEST, Bootstrap, dead_man_script
from providers.host_keys import HostKeys

from . import ssh
from .machine import SHELLS, Machine, as_vm, free_port, machine
from .waiting import wait_until

__all__ = ["machine"]

KEYS = HostKeys(b"s" * 32)
KEY = paramiko.ECDSAKey.generate()
PUBLIC = f"{KEY.get_name()} {KEY.get_base64()} the deployment's"
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl somebody's"
PLAIN = Bootstrap("ebbtide", PUBLIC, KEYS.private("vm"), "/mnt/batch/tasks", None)
OUR_MARKS = "EBBTIDE\n'\"$(touch /broken)`touch /broken`\\\n"


def boots(machine: Machine, bootstrap: Bootstrap) -> None:
    done = machine.boot(bootstrap.script())
    assert done.returncode == 0, done


def test_it_becomes_a_node_that_only_we_can_enter(machine: Machine) -> None:
    port = free_port()
    machine.serve_ssh(port)
    vm = as_vm(port, "ebbtide", KEYS.public("vm"))
    with pytest.raises(AssertionError):
        ssh.connect(vm, KEY).close()  # it shows the keys of its image
    boots(machine, PLAIN)

    def enter() -> paramiko.Transport | None:
        try:
            return ssh.connect(vm, KEY)
        except OSError:  # sshd begins anew
            return None

    transport = wait_until(enter)
    told = ssh.run(transport, "id -un; cd /mnt/batch/tasks && touch mine && echo made").out
    transport.close()
    assert told == b"ebbtide\nmade\n"
    with pytest.raises(paramiko.AuthenticationException):
        ssh.connect(vm, paramiko.ECDSAKey.generate())
    private = machine.path / "etc/ssh/ssh_host_ed25519_key"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert sorted(path.name for path in private.parent.glob("ssh_host_*")) == [private.name, private.name + ".pub"]
    assert private.with_suffix(".pub").read_text().startswith(KEYS.public("vm"))
    assert not (machine.path / BOOTING_FILE[1:]).exists()


def test_it_may_run_again(machine: Machine) -> None:
    for _ in range(2):
        boots(machine, PLAIN)
    keys = machine.path / "home/ebbtide/.ssh/authorized_keys"
    assert keys.read_text() == PUBLIC + "\n"
    assert machine.path.joinpath("etc/passwd").read_text().count("\nebbtide:") == 1


@pytest.mark.parametrize("home", ["/srv/an odd 'home'", "/root", "/nonexistent/home"])
def test_a_user_that_the_image_has(machine: Machine, home: str) -> None:
    """Lines of others stay; a line by which the cloud lets the same key do nothing goes."""
    machine.write("etc/passwd", f"root:x:0:0:root:/root:/bin/sh\nadmin:x:1000:1000::{home}:/bin/sh\n")
    folder = machine.path / home[1:] / ".ssh"
    if home != "/nonexistent/home":
        folder.mkdir(parents=True)
        folder.joinpath("authorized_keys").write_text(f'{OTHER}\ncommand="echo log in as admin" {PUBLIC}\n')
    boots(machine, replace(PLAIN, user="admin"))
    keys = folder / "authorized_keys"
    assert set(keys.read_text().splitlines()) == {PUBLIC} | ({OTHER} if home != "/nonexistent/home" else set())
    for path, mode in ((folder, 0o700), (keys, 0o600)):
        assert (path.stat().st_uid, stat.S_IMODE(path.stat().st_mode)) == (1000, mode)
    root = machine.path / "mnt/batch/tasks"
    assert (root.stat().st_uid, root.parent.stat().st_uid) == (1000, 0)


def test_a_group_of_the_users_name_is_there_already(machine: Machine) -> None:
    """Ubuntu has a group `admin`, and no such user."""
    machine.write("etc/group", "root:x:0:\nadmin:x:118:\n")
    machine.write("etc/login.defs", "USERGROUPS_ENAB yes\n")
    boots(machine, replace(PLAIN, user="admin"))
    users = machine.path.joinpath("etc/passwd").read_text().splitlines()
    assert [line.split(":")[3] for line in users if line.startswith("admin:")] == ["118"]
    assert (machine.path / "home/admin/.ssh/authorized_keys").read_text() == PUBLIC + "\n"


def test_root_may_be_the_user(machine: Machine) -> None:
    boots(machine, replace(PLAIN, user="root"))
    assert (machine.path / "root/.ssh/authorized_keys").read_text() == PUBLIC + "\n"
    assert (machine.path / "mnt/batch/tasks").stat().st_uid == 0


def test_where_there_is_no_useradd(machine: Machine) -> None:
    """BusyBox has adduser, which locks the user: without PAM sshd would not let it in by key either."""
    machine.fake("useradd", "exit 127")
    machine.fake(
        "adduser",
        'test "$1 $2 $3" = "-D -s /bin/sh" && mkdir /home/$4 && echo "$4:!:20000:0:99999:7:::" >> /etc/shadow &&\n'
        'echo "$4:x:1000:1000::/home/$4:$3" >> /etc/passwd && chown 1000 /home/$4',
    )
    port = free_port()
    machine.serve_ssh(port)
    boots(machine, PLAIN)
    assert "\nebbtide:*:" in machine.path.joinpath("etc/shadow").read_text()
    vm = as_vm(port, "ebbtide", KEYS.public("vm"))

    def enter() -> paramiko.Transport | None:
        try:
            return ssh.connect(vm, KEY)
        except (OSError, AssertionError):
            return None

    wait_until(enter).close()


def test_labels_where_there_is_selinux(machine: Machine) -> None:
    machine.fake("restorecon", 'echo "$*" >> /labelled')
    boots(machine, PLAIN)
    assert (machine.path / "labelled").read_text() == "-R /etc/ssh\n-R /home/ebbtide/.ssh\n"


def test_a_stale_pid_of_sshd_is_nobodys(machine: Machine) -> None:
    """The number in the file may belong to any other process, which a hang-up would end."""
    machine.write("run/sshd.pid", "1\n")
    boots(machine, PLAIN)
    assert machine.run("true").returncode == 0


# -- the user's own script


def test_the_users_own_script_runs_last(machine: Machine) -> None:
    saying = f"printf %s {shlex.quote(OUR_MARKS)} > /saw"
    own = f"#!/bin/sh\n{saying}\n[ -e {BOOTING_FILE} ] && id -un ebbtide >> /saw\nexit 7\n"
    done = machine.boot(replace(PLAIN, user_data=own).script())
    assert done.returncode == 7, "what came of it is what the cloud hears"
    assert (machine.path / "saw").read_text() == OUR_MARKS + "ebbtide\n"
    assert not (machine.path / BOOTING_FILE[1:]).exists() and not (machine.path / "broken").exists()


def test_other_interpreters(machine: Machine) -> None:
    own = "#!/usr/bin/env busybox\n"
    assert machine.boot(replace(PLAIN, user_data=own).script()).returncode != 126, "it was not executed"


# -- hostile values


@pytest.mark.parametrize(
    "change",
    [
        {"node_root": "/mnt/it's $(touch /broken) `touch /broken`\"; touch /broken; #"},
        {"node_root": "/mnt/é\\"},
        {"public_key": PUBLIC + " $(touch /broken)'`touch /broken`'\"; touch /broken; #\\"},
    ],
    ids=["root", "backslash", "key"],
)
def test_values_are_nothing_but_values(machine: Machine, change: dict[str, Any]) -> None:
    bootstrap = replace(PLAIN, dead_man=1000.0, **change)
    boots(machine, bootstrap)
    assert not (machine.path / "broken").exists()
    assert (machine.path / bootstrap.node_root[1:]).is_dir()
    assert (machine.path / "home/ebbtide/.ssh/authorized_keys").read_text() == bootstrap.public_key + "\n"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"user": "a'b"}, "sshUser"),
        ({"user": "$(reboot)"}, "sshUser"),
        ({"user": "a\nb"}, "sshUser"),
        ({"user": ""}, "sshUser"),
        ({"user": "-rf"}, "sshUser"),
        ({"user": "a" * 33}, "sshUser"),
        ({"node_root": "relative"}, "nodeRoot"),
        ({"node_root": "/mnt\nEBBTIDE\nreboot"}, "nodeRoot"),
        ({"node_root": "/"}, "nodeRoot"),
        ({"host_key": f"-----BEGIN\n{OUR_MARKS}'; touch /broken; '\n-----END"}, "host key"),
        ({"host_key": ""}, "host key"),
        ({"public_key": "ssh-ed25519"}, "public key"),
        ({"public_key": "ssh-ed25519 AAAA\nssh-ed25519 BBBB"}, "public key"),
        ({"user_data": "echo no interpreter"}, "#!"),
        ({"user_data": "#!" + "x" * LARGEST}, "too long"),
    ],
)
def test_what_is_refused(change: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        replace(PLAIN, **change).script()


# -- the dead-man timer


def test_it_powers_off_when_nobody_speaks(machine: Machine) -> None:
    begun = time.monotonic()
    boots(machine, replace(PLAIN, dead_man=2.0))
    wait_until(lambda: machine.powered_off)
    assert time.monotonic() - begun >= 1.5, "at once; the kernel's uptime is cut to whole seconds"
    assert machine.powered_off[0] == "poweroff "


def test_it_lives_as_long_as_somebody_speaks(machine: Machine) -> None:
    boots(machine, replace(PLAIN, dead_man=2.0))
    heard = machine.path / "mnt/batch/tasks" / HEARD_FILE
    heard.parent.mkdir()
    until = time.monotonic() + 4.0

    def spoken() -> bool:
        heard.touch()
        return time.monotonic() > until

    wait_until(spoken, pause=0.2)
    assert not machine.powered_off
    wait_until(lambda: machine.powered_off)


def own_programs(machine: Machine) -> None:
    if machine.shell == "busybox":
        pytest.skip("busybox sh takes its own programs before those of the machine")


def test_a_poweroff_that_does_not_work_is_followed_by_others(machine: Machine) -> None:
    """Init may be dead, the console blocked."""
    own_programs(machine)
    machine.fake("sleep", '[ "$1" = 60 ] && exec /usr/bin/sleep 0.5; exec /usr/bin/sleep "$1"')
    machine.fake("poweroff", 'echo "poweroff $*" >> /powered; [ -n "$1" ] || exec /usr/bin/sleep 1000')
    boots(machine, replace(PLAIN, dead_man=1.0))
    wait_until(lambda: "poweroff -f" in machine.powered_off)
    wait_until(lambda: machine.powered_off.count("poweroff ") > 1)


def test_without_poweroff_there_is_shutdown(machine: Machine) -> None:
    own_programs(machine)
    machine.fake("poweroff", "exit 127")
    boots(machine, replace(PLAIN, dead_man=1.0))
    wait_until(lambda: "shutdown -P now" in machine.powered_off)


def test_no_timer_if_none_is_wanted(machine: Machine) -> None:
    boots(machine, PLAIN)
    assert not (machine.path / "usr/local/sbin/ebbtide-dead-man").exists()


def test_systemd_starts_it_at_every_boot(machine: Machine) -> None:
    (machine.path / "run/systemd/system").mkdir(parents=True)
    (machine.path / "etc/systemd/system").mkdir(parents=True)
    machine.fake("systemctl", 'echo "$*" >> /called')
    boots(machine, replace(PLAIN, dead_man=900.0))
    unit = "ebbtide-dead-man.service"
    assert (machine.path / "called").read_text().splitlines() == [f"--no-block restart {unit}", "try-restart ssh"]
    enabled = machine.path / "etc/systemd/system/multi-user.target.wants" / unit
    text = enabled.resolve(strict=True).read_text()
    (command,) = [line.partition("=")[2].split() for line in text.splitlines() if line.startswith("ExecStart=")]
    machine.fake("sleep", "exec /usr/bin/sleep 0.05")
    machine.write("local/sbin/ebbtide-dead-man", dead_man_script("/none", 1.0))
    machine.run("sh", "-c", f"{' '.join(command)} > /dev/null 2>&1 &")
    wait_until(lambda: machine.powered_off)


def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("needs systemd-analyze")
    from providers.bootstrap import _UNIT

    unit = tmp_path / "ebbtide-dead-man.service"
    unit.write_text(_UNIT + "\n")
    environment = {**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"}
    done = subprocess.run([analyze, "verify", unit], capture_output=True, text=True, check=False, env=environment)
    assert "ebbtide-dead-man" not in done.stderr, done.stderr


@pytest.mark.parametrize("shell", SHELLS.values())
def test_every_shell_can_read_it(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell.split()[0]) is None:
        pytest.skip(f"needs {shell.split()[0]}")
    script = tmp_path / "script"
    script.write_text(replace(PLAIN, dead_man=1800.0, user_data="#!/bin/sh\n").script())
    done = subprocess.run([*shell.split(), "-n", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(script.read_bytes()) < LARGEST / 3, "room for the user's own"

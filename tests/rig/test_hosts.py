"""The rig's hosts: real SSH servers in namespaces, their faults, and that nothing is left of them. Root only."""

import math
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest

from tests.rig import IMAGE, SIZE, CloudRig, console, ssh
from tests.rig.asking import refused, wait_for
from tests.rig.groups import MOST_GROUPS
from tests.rig.host import Host

pytestmark = pytest.mark.skipif(CloudRig.unavailable() is not None, reason=str(CloudRig.unavailable()))

KEY, PUBLIC = ssh.key_pair()
SERVE = """python3 -c 'import socket
s = socket.create_server(("0.0.0.0", 8000))
while True: s.accept()' >/dev/null 2>&1 &"""
#: Status and body of a path of the metadata service, asked for with a token, or without.
ASK = """python3 -c 'import sys, urllib.error, urllib.request as web
def ask(path, method="GET", **headers):
    headers = {{"X-aws-ec2-metadata-token" + key: value for key, value in headers.items()}}
    try:
        answer = web.urlopen(web.Request("http://169.254.169.254/latest/" + path, method=method, headers=headers))
    except urllib.error.HTTPError as error:
        answer = error
    return answer.status, answer.read().decode()
token = {{"": ask("api/token", "PUT", **{{"-ttl-seconds": "60"}})[1]}} if {token} else {{}}
print(*ask("meta-data/{path}", **token))'"""


@pytest.fixture(scope="module")
def shared() -> Iterator[CloudRig]:
    with CloudRig() as rig:
        rig.boto3().import_key_pair(KeyName="k", PublicKeyMaterial=PUBLIC.encode())
        yield rig
        assert rig.mishaps == []


@pytest.fixture
def rig(shared: CloudRig) -> Iterator[CloudRig]:
    """The shared one, empty, with its settings as they were."""
    before = shared.pending, shared.boot_delay
    yield shared
    shared.pending, shared.boot_delay = before
    for instance in shared.instances("pending", "running", "stopped"):
        shared.boto3().terminate_instances(InstanceIds=[instance.id])


def run(rig: CloudRig, **changes: Any) -> Host:
    asked = {"ImageId": IMAGE, "InstanceType": SIZE, "KeyName": "k", "MinCount": 1, "MaxCount": 1, **changes}
    made = rig.boto3().run_instances(**asked)["Instances"][0]["InstanceId"]
    wait_for(lambda: rig.instance(made).state == "running")
    return rig.hosts[made]


def say(host: Host, command: str, user: str = "admin") -> str:
    code, text = ssh.first_word(host.ip, KEY, user, command)
    assert code == 0, text
    return text.strip()


def silent(connection: paramiko.Transport) -> bool:
    """Does a command get no answer, while nobody says that the connection is over?"""
    try:
        connection.open_session(timeout=0.7).close()
    except paramiko.SSHException:
        return connection.is_active()
    return False


def test_both_users_get_in_and_find_python(rig: CloudRig) -> None:
    host = run(rig)
    assert say(host, "id -un; id -u; echo $HOME; command -v python3").split()[:3:2] == ["admin", "/home/admin"]
    assert say(host, "python3 -c 'import sys; print(sys.version_info[0])'") == "3"
    assert say(host, "id -u; ls -A / | grep -c .; hostname", "root").split()[0] == "0"
    assert say(host, "hostname") == "ip-" + host.ip.replace(".", "-")
    assert say(host, "ls -A /tmp /mnt /home", "root").split() == ["/home:", "admin", "/mnt:", "/tmp:"]
    assert (host.public_ip or "").startswith("198.18.")
    assert ssh.first_word(str(host.public_ip), KEY)[0] == 0
    with pytest.raises(paramiko.AuthenticationException):
        ssh._connect(host.ip, ssh.key_pair()[0], "admin")


def test_user_data_runs_as_root_and_its_host_key_is_the_one(rig: CloudRig) -> None:
    private, public = console.new_host_key()
    script = f"""#!/bin/sh
        cat > /etc/ssh/ssh_host_ed25519_key <<'E'\n{private}E
        ssh-keygen -y -f /etc/ssh/ssh_host_ed25519_key > /etc/ssh/ssh_host_ed25519_key.pub
        kill -HUP $(cat /run/sshd.pid)
        echo "I am $(id -un)"; echo said on the console > /dev/console; mkdir -p /mnt/batch/tasks
        """
    host = run(rig, UserData=script)
    first = host.host_key
    wait_for(lambda: host.state == "booted")
    connection = ssh.connect(host.ip, KEY)
    assert ssh.host_key(connection) == public == host.host_key != first
    assert ssh.run(connection, "cat /var/log/cloud-init-output.log; ls -d /mnt/batch/tasks") == (
        0, "I am root\n/mnt/batch/tasks\n",
    )  # fmt: skip
    connection.close()
    output = rig.boto3().get_console_output(InstanceId=host.id)["Output"]
    assert "said on the console" in output and public in output.partition("-----BEGIN SSH HOST KEY KEYS-----")[2]


def test_a_host_cannot_harm_this_machine(rig: CloudRig) -> None:
    host = run(rig)
    # Where a write would restart the real machine there is the null device.
    masked = "for file in sysrq-trigger kmsg kcore; do [ ! -e /proc/$file ] || stat -c '%t,%T' /proc/$file; done"
    assert set(say(host, masked, "root").split()) == {"1,3"}
    held = int(say(host, "grep CapBnd /proc/self/status | cut -f2", "root"), 16)
    assert not held & (1 << 16 | 1 << 17 | 1 << 21 | 1 << 22 | 1 << 25 | 1 << 27)
    now = time.time()
    harm = ["mount -t tmpfs x /mnt", "date -s 2020-01-01", "mknod /tmp/d b 254 0", "echo 1 > /proc/sys/kernel/panic"]
    tried = say(host, "; ".join(f"({each}) >/dev/null 2>&1 && echo done || echo refused" for each in harm), "root")
    assert tried.split() == ["refused"] * len(harm) and time.time() - now < 60
    assert int(say(host, "ls /proc | grep -c '^[0-9]'")) < 30, "it sees its own processes only"
    say(host, "rm -rf /opt /etc/passwd", "root")
    assert Path("/etc/passwd").exists() and Path("/opt").exists()


@pytest.mark.parametrize(("behaviour", "state"), [("terminate", "terminated"), ("stop", "stopped")])
def test_poweroff_ends_the_instance(rig: CloudRig, behaviour: str, state: str) -> None:
    host = run(rig, InstanceInitiatedShutdownBehavior=behaviour)
    connection = ssh.connect(host.ip, KEY, "root")
    ssh.run(connection, "nohup sh -c 'sleep 0.1; poweroff' >/dev/null 2>&1 &")
    wait_for(lambda: rig.instance(host.id).state == state)
    assert rig.instance(host.id).reason == "Client.InstanceInitiatedShutdown"
    connection.close()
    if state == "stopped":
        rig.boto3().start_instances(InstanceIds=[host.id])
        wait_for(lambda: rig.instance(host.id).state == "running")
        assert say(rig.hosts[host.id], "hostname") == "ip-" + host.ip.replace(".", "-")


def test_a_restart_keeps_host_and_key(rig: CloudRig) -> None:
    host = run(rig)
    sleeping = "cat /proc/[0-9]*/comm 2>/dev/null | grep -c sleep || true"  # some end between the list and the look
    say(host, "echo kept > /var/tmp/file; sleep 1000 >/dev/null 2>&1 &", "root")
    wait_for(lambda: say(host, sleeping) == "1")
    rig.boto3().reboot_instances(InstanceIds=[host.id])
    wait_for(lambda: ssh.first_word(host.ip, KEY, "root", sleeping)[1].strip() == "0")
    assert say(host, "cat /var/tmp/file", "root") == "kept"
    connection = ssh.connect(host.ip, KEY)
    assert ssh.host_key(connection) == host.host_key
    connection.close()


def test_the_notice_of_a_reclaim_stands_in_the_metadata(rig: CloudRig) -> None:
    host = run(rig, InstanceMarketOptions={"MarketType": "spot"})
    assert say(host, ASK.format(path="instance-id", token=False)) == "401 Unauthorized"
    assert say(host, ASK.format(path="instance-id", token=True)) == f"200 {host.id}"
    action = ASK.format(path="spot/instance-action", token=True)
    assert say(host, action).startswith("404 ")
    connection = ssh.connect(host.ip, KEY)
    rig.preempt(host.id, notice=3.0)
    code, answer = ssh.run(connection, action)
    assert code == 0 and '"action": "terminate"' in answer and rig.instance(host.id).state == "running"
    wait_for(lambda: rig.instance(host.id).state == "terminated")
    assert rig.instance(host.id).reason == "Server.SpotInstanceTermination"
    wait_for(lambda: silent(connection))
    connection.close()


def test_a_killed_host_is_silent_and_the_api_knows_nothing(rig: CloudRig) -> None:
    host = run(rig)
    connection = ssh.connect(host.ip, KEY)
    rig.kill_host(host.id)
    wait_for(lambda: silent(connection))
    wait_for(lambda: host.state == "off")
    began = time.monotonic()
    assert not ssh.reaches(host.ip, within=0.5) and time.monotonic() - began >= 0.5, "silence, and no refusal"
    assert rig.instance(host.id).state == "running"
    rig.boto3().terminate_instances(InstanceIds=[host.id])
    assert rig.instance(host.id).state == "terminated"
    connection.close()


def test_a_network_that_is_cut_and_healed(rig: CloudRig) -> None:
    host = run(rig)
    connection = ssh.connect(host.ip, KEY)
    rig.cut_network(host.id)
    wait_for(lambda: silent(connection))
    rig.heal_network(host.id)
    assert wait_for(lambda: ssh.run(connection, "echo back"))[1] == "back\n"
    connection.close()


def test_a_host_that_never_boots_is_silent(rig: CloudRig) -> None:
    rig.boot_delay = lambda instance: math.inf if instance.instance_type == SIZE else 0.3
    dead, slow = run(rig), run(rig, InstanceType="t3.large")
    assert say(slow, "echo up") == "up"
    assert not ssh.reaches(dead.ip, within=0.3) and dead.console == ""


def test_security_groups_stand_between_hosts(rig: CloudRig) -> None:
    client = rig.boto3()
    groups = [client.create_security_group(GroupName=name, Description="x")["GroupId"] for name in ("one", "two")]
    first, second = (run(rig, SecurityGroupIds=[group]) for group in groups)
    say(second, SERVE)
    look = f"timeout 0.5 bash -c '</dev/tcp/{second.ip}/8000' 2>/dev/null && echo open || echo closed"
    wait_for(lambda: ssh.reaches(second.ip, 8000))  # this machine does
    assert say(first, look) == "closed"
    rule = {"IpProtocol": "tcp", "FromPort": 8000, "ToPort": 8000, "UserIdGroupPairs": [{"GroupId": groups[0]}]}
    client.authorize_security_group_ingress(GroupId=groups[1], IpPermissions=[rule])
    wait_for(lambda: say(first, look) == "open")
    client.revoke_security_group_ingress(GroupId=groups[1], IpPermissions=[rule])
    wait_for(lambda: say(first, look) == "closed")


def test_security_groups_come_and_go_and_end_where_there_are_no_more(rig: CloudRig) -> None:
    client, [default] = rig.boto3(), rig.instance(run(rig).id).groups

    def made(number: int) -> str:
        return str(client.create_security_group(GroupName=f"g{number}", Description="x")["GroupId"])

    def lets_in(group: str) -> dict[str, Any]:
        rule = {"IpProtocol": "tcp", "FromPort": 8000, "ToPort": 8000, "UserIdGroupPairs": [{"GroupId": group}]}
        return {"GroupId": default, "IpPermissions": [rule]}

    for number in range(30):
        group = made(number)
        client.authorize_security_group_ingress(**lets_in(group))
        client.revoke_security_group_ingress(**lets_in(group))
        client.delete_security_group(GroupId=group)
    known = {row["GroupId"] for row in client.describe_security_groups()["SecurityGroups"]}
    groups = [made(number) for number in range(MOST_GROUPS - len(known))]
    assert refused(lambda: made(99)) == ("SecurityGroupLimitExceeded", 400)
    for group in groups:
        client.authorize_security_group_ingress(**lets_in(group))
    say(run(rig, SecurityGroupIds=groups[-1:]), "true")
    for instance in rig.instances("running"):
        client.terminate_instances(InstanceIds=[instance.id])
    for group in groups:
        client.revoke_security_group_ingress(**lets_in(group))
        client.delete_security_group(GroupId=group)


def test_hosts_of_the_default_group_reach_each_other(rig: CloudRig) -> None:
    first, second = run(rig), run(rig)
    say(second, "true")
    assert say(first, f"timeout 5 bash -c '</dev/tcp/{second.ip}/22' && echo open") == "open"


def test_rigs_stand_side_by_side_and_guard_this_machine_if_asked(rig: CloudRig) -> None:
    with CloudRig(guard_controller=True) as other:
        client = other.boto3()
        client.import_key_pair(KeyName="k", PublicKeyMaterial=PUBLIC.encode())
        ours, theirs = run(rig), run(other)
        assert say(ours, f"timeout 0.5 bash -c '</dev/tcp/{theirs.ip}/22' 2>/dev/null || echo closed") == "closed"
        wait_for(lambda: theirs.state == "booted")
        assert not ssh.reaches(theirs.ip, within=0.3)
        group = other.instance(theirs.id).groups[0]
        rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
        client.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
        assert say(theirs, "echo in") == "in"
        assert other.mishaps == []


def test_many_at_once(rig: CloudRig) -> None:
    rig.pending = 0.1
    words: list[str] = []
    threads = [threading.Thread(target=lambda: words.append(say(run(rig), "hostname"))) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(words)) == 10

"""The rig's control plane: what it promises to those who test a provider with it. No root needed."""

import math
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from libcloud.common.exceptions import BaseHTTPError
from libcloud.compute.base import Node, NodeImage, NodeSize
from libcloud.compute.drivers.ec2 import EC2NodeDriver
from libcloud.compute.types import LibcloudError, NodeState

from tests.rig import IMAGE, SIZE, CloudRig, console, requirements
from tests.rig.asking import refused, run, wait_for
from tests.rig.ssh import key_pair


@pytest.fixture
def driver(rig: CloudRig) -> EC2NodeDriver:
    where = urlsplit(rig.endpoint)
    return EC2NodeDriver(
        "testing", "testing", region=rig.region, host=where.hostname, port=where.port, secure=False,
        signature_version="4",
    )  # fmt: skip


def create(driver: EC2NodeDriver, name: str = "n1", **options: Any) -> Node:
    size = NodeSize(SIZE, SIZE, 0, 0, 0, 0, driver)
    return driver.create_node(name, size=size, image=NodeImage(IMAGE, IMAGE, driver), **options)


def test_libcloud_understands_its_answers(rig: CloudRig, driver: EC2NodeDriver) -> None:
    assert next(image.id for image in driver.list_images()) == IMAGE
    assert f"{rig.region}a" in [zone.name for zone in driver.list_locations()]
    driver.import_key_pair_from_string("mine", key_pair()[1])
    group = driver.ex_create_security_group("web", "for a test")["group_id"]
    assert driver.ex_authorize_security_group_ingress(group, 22, 22, cidr_ips=["0.0.0.0/0"])

    node = create(driver, ex_keyname="mine", ex_metadata={"pool": "p1"}, ex_spot=True, ex_terminate_on_shutdown=True)

    (listed,) = driver.list_nodes()
    assert listed.id == node.id and listed.state == NodeState.RUNNING and listed.private_ips == node.private_ips
    assert listed.extra["tags"] == {"Name": "n1", "pool": "p1"}
    assert listed.extra["instance_lifecycle"] == "spot"
    assert driver.reboot_node(listed)
    assert "SSH HOST KEY KEYS" in driver.ex_get_console_output(listed)["output"]
    assert driver.destroy_node(listed) and driver.destroy_node(listed)
    assert driver.ex_delete_security_group_by_id(group)
    assert driver.delete_key_pair(driver.get_key_pair("mine"))


def test_addresses_lead_nowhere_but_here(rig: CloudRig) -> None:
    run(rig)
    (instance,) = rig.instances()
    assert instance.private_ip.startswith("127.") and (instance.public_ip or "").startswith("127.")


def test_a_client_token_makes_one_instance(rig: CloudRig) -> None:
    first = run(rig, ClientToken="t1", UserData="#!/bin/sh")
    assert run(rig, ClientToken="t1", UserData="#!/bin/sh") == first
    assert refused(lambda: run(rig, ClientToken="t1", UserData="other")) == ("IdempotentParameterMismatch", 400)
    rig.boto3().terminate_instances(InstanceIds=[first])
    assert refused(lambda: run(rig, ClientToken="t1", UserData="#!/bin/sh"))[0] == "IdempotentInstanceTerminated"
    assert len(rig.instances()) == 1


@pytest.mark.parametrize(
    ("code", "status"),
    [("RequestLimitExceeded", 503), ("InsufficientInstanceCapacity", 500), ("VcpuLimitExceeded", 400),
     ("UnauthorizedOperation", 403), ("AuthFailure", 401), ("InternalError", 500)],
)  # fmt: skip
def test_a_fault_strikes_as_often_as_it_should(rig: CloudRig, code: str, status: int) -> None:
    fault = rig.fail("RunInstances", code, times=2)
    assert [refused(lambda: run(rig)) for _ in range(2)] == [(code, status)] * 2
    run(rig)
    assert fault.hits == 2 and len(rig.instances()) == 1
    assert [call.code for call in rig.calls if call.action == "RunInstances"] == [code, code, None]


def test_libcloud_sees_the_code_of_a_fault(rig: CloudRig, driver: EC2NodeDriver) -> None:
    rig.fail("DescribeInstances", "RequestLimitExceeded")
    with pytest.raises(BaseHTTPError, match=r"^RequestLimitExceeded: ") as caught:
        driver.list_nodes()
    assert caught.value.code == 503
    rig.fail("RunInstances", "IdempotentParameterMismatch")
    with pytest.raises(LibcloudError, match="IdempotentParameterMismatch"):
        create(driver)


def test_a_lost_response_leaves_the_instance(rig: CloudRig, driver: EC2NodeDriver) -> None:
    rig.fail("RunInstances", lose_response=True)
    with pytest.raises(requests.ConnectionError):
        create(driver, ex_clienttoken="t1")
    assert create(driver, ex_clienttoken="t1").id == rig.instances()[0].id
    assert len(rig.instances()) == 1 and rig.calls[0].lost


def test_a_fault_chooses_its_calls(rig: CloudRig) -> None:
    rig.fail("RunInstances", "InsufficientInstanceCapacity", when=lambda params: params["InstanceType"] == SIZE)
    fault = rig.fail("*", latency=0.2)
    began = time.monotonic()
    run(rig, InstanceType="t3.large")
    assert time.monotonic() - began >= 0.2 and rig.calls[-1].seconds >= 0.2 and fault.hits == 1
    assert refused(lambda: run(rig))[0] == "InsufficientInstanceCapacity"
    rig.fail("*", "InternalError", times=math.inf)
    rig.clear_faults()
    run(rig)


def test_a_new_instance_is_unknown_for_a_while(rig: CloudRig) -> None:
    rig.visibility_delay = lambda instance: math.inf if instance.instance_type == SIZE else 0.1
    hidden, client = run(rig), rig.boto3()
    for call in (client.describe_instances, client.describe_instance_status, client.terminate_instances):
        code = refused(lambda call=call: call(InstanceIds=[hidden]))  # type: ignore[misc]
        assert code == ("InvalidInstanceID.NotFound", 400)
    assert client.describe_instances()["Reservations"] == []
    assert [instance.id for instance in rig.instances()] == [hidden]
    later = run(rig, InstanceType="t3.large")
    wait_for(lambda: client.describe_instances()["Reservations"])
    client.terminate_instances(InstanceIds=[later])


def test_the_states_follow_one_another(rig: CloudRig) -> None:
    client = rig.boto3()

    def state(instance: str) -> str:
        seen = client.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
        return str(seen["State"]["Name"])

    rig.pending = math.inf
    never = run(rig)
    assert state(never) == "pending" and client.get_console_output(InstanceId=never).get("Output", "") == ""
    rig.pending = lambda instance: 0.1
    made = run(rig)
    wait_for(lambda: state(made) == "running")
    rig.ending = math.inf
    client.terminate_instances(InstanceIds=[made])
    assert state(made) == "shutting-down"
    rig.ending = 0.1
    client.terminate_instances(InstanceIds=[never])
    wait_for(lambda: state(never) == "terminated")
    assert rig.instances("running", "pending") == []


def test_a_reclaimed_instance_says_so(rig: CloudRig) -> None:
    made = run(rig, InstanceMarketOptions={"MarketType": "spot"})
    rig.preempt(made)
    seen = rig.boto3().describe_instances()["Reservations"][0]["Instances"][0]
    assert seen["State"]["Name"] == "terminated" and seen["InstanceLifecycle"] == "spot"
    assert seen["StateReason"]["Code"] == "Server.SpotInstanceTermination"
    assert rig.instance(made).reason == "Server.SpotInstanceTermination"


def test_a_group_in_use_cannot_be_deleted(rig: CloudRig) -> None:
    client = rig.boto3()
    group = client.create_security_group(GroupName="web", Description="for a test")["GroupId"]
    made = run(rig, SecurityGroupIds=[group])
    assert refused(lambda: client.delete_security_group(GroupId=group)) == ("DependencyViolation", 400)
    client.terminate_instances(InstanceIds=[made])
    client.delete_security_group(GroupId=group)


def test_the_console_holds_the_host_keys(rig: CloudRig) -> None:
    private, public = console.new_host_key()
    given, own = run(rig, UserData=f"#!/bin/sh\ncat > key <<E\n{private}E\n"), run(rig)
    outputs = [str(rig.boto3().get_console_output(InstanceId=made)["Output"]) for made in (given, own, own)]
    block = outputs[0].partition("-----BEGIN SSH HOST KEY KEYS-----\n")[2].partition("-----END SSH HOST KEY KEYS-----")
    assert block[0].startswith(public) and block[1]
    assert "ssh-ed25519 " in outputs[1] and public not in outputs[1] and outputs[1] == outputs[2]


def test_rigs_of_one_process_know_nothing_of_each_other(rig: CloudRig) -> None:
    with CloudRig(hosts=False) as other:
        run(rig, ClientToken="t1")
        assert other.instances() == [] and other.boto3().describe_instances()["Reservations"] == []
        assert run(other, ClientToken="t1") != rig.instances()[0].id
        accounts = {each.boto3("sts").get_caller_identity()["Account"] for each in (rig, other)}
        assert len(accounts) == 2
    assert len(rig.instances()) == 1


def test_a_stranger_is_there_and_takes_no_room(rig: CloudRig) -> None:
    rig.market.instances = 1
    rig.visibility_delay = rig.pending = math.inf
    stranger = rig.stranger({"owner": "somebody else"})
    seen = rig.boto3().describe_instances()["Reservations"][0]["Instances"][0]
    assert seen["InstanceId"] == stranger and seen["State"]["Name"] == "running"
    assert rig.instance(stranger).stranger and rig.instance(stranger).tags == {"owner": "somebody else"}
    run(rig)


def test_only_signed_calls_are_answered(rig: CloudRig) -> None:
    with pytest.raises(urllib.request.HTTPError) as caught:
        urllib.request.urlopen(f"{rig.endpoint}/?Action=DescribeInstances")
    with caught.value as answer:
        assert answer.code == 401 and b"<Code>AuthFailure</Code>" in answer.read()


def test_a_caller_that_dies_in_the_middle_has_asked_nothing(rig: CloudRig) -> None:
    address = urlsplit(rig.endpoint)
    with socket.create_connection((address.hostname, address.port)) as caller:
        caller.sendall(b"POST / HTTP/1.1\r\nHost: rig\r\nContent-Length: 100\r\n\r\nAction=RunInstances&MinCount=1")
        caller.shutdown(socket.SHUT_WR)
        assert caller.recv(1) == b""
    assert (rig.calls, rig.mishaps, rig.instances()) == ([], [], [])


def test_a_call_is_quick(rig: CloudRig) -> None:
    client, made, took = rig.boto3(), run(rig), []
    for _ in range(20):
        began = time.process_time()
        client.describe_instances(InstanceIds=[made])
        took.append(time.process_time() - began)
    assert statistics.median(took) < 0.05, "of processor time, caller and rig together"


def test_served_by_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "tests.rig", "serve"]
    with subprocess.Popen(command, cwd=requirements.root(), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            endpoint = process.stdout.readline().strip()
            with pytest.raises(urllib.request.HTTPError) as caught:
                urllib.request.urlopen(f"{endpoint}/?Action=DescribeInstances")
            caught.value.close()
            os.kill(process.pid, signal.SIGTERM)
            assert process.wait(20) == 0
        finally:
            process.kill()

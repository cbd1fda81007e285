"""What the real EC2 does and a fake does not by itself: words that it refuses, things that show late or only nearly."""

import random
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError, SSOTokenLoadError, UnauthorizedSSOTokenError

from providers import AuthError, InvalidRequestError, ProviderError, TransientError, VmState
from providers.ec2.errors import typed
from providers.ec2.fleet import Fleet
from providers.ec2.instance import Instance
from providers.ec2.vms import Vms
from tests.rig import CloudRig

from ..waiting import wait_until
from .conftest import Account, states

#: What EC2 takes as the description of a security group or of a rule.
DESCRIPTION = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{1,255}\Z")


def test_every_word_in_a_security_group_is_one_that_ec2_takes(account: Account) -> None:
    account.open(sshFrom=["203.0.113.7/32", "2001:db8::/64"]).create(account.spec())
    group = account.params("CreateSecurityGroup")
    rule = account.params("AuthorizeSecurityGroupIngress")
    told = [group["GroupDescription"], *(text for key, text in rule.items() if key.endswith(".Description"))]
    assert len(told) == 3
    assert [text for text in told if not DESCRIPTION.match(text)] == []


# -- what shows late ---------------------------------------------------------------------------------------------


def test_a_group_that_does_not_show_yet_is_waited_for(account: Account) -> None:
    account.rig.fail("AuthorizeSecurityGroupIngress", "InvalidGroup.NotFound", times=2)
    assert account.open(visibilityDelay=5).create(account.spec()).name == "d1-n1"
    assert account.actions().count("CreateSecurityGroup") == 1


def test_a_group_that_does_not_show_at_all_is_no_mistake_of_the_settings(account: Account) -> None:
    account.rig.fail("AuthorizeSecurityGroupIngress", "InvalidGroup.NotFound", times=10**6)
    with pytest.raises(TransientError, match="does not show yet"):
        account.open(visibilityDelay=0.2).create(account.spec())
    assert account.living() == []


def test_a_group_that_is_there_twice_over_is_looked_for_again(account: Account) -> None:
    """Made by another controller a moment ago: it cannot be made, and does not show."""
    first = account.open()
    first.create(account.spec("n1"))
    second = account.open()
    second._network._ours = lambda vpc: []  # type: ignore[method-assign]
    second._network._strangers = lambda vpc: False  # type: ignore[method-assign]
    with pytest.raises(TransientError, match="does not show yet"):
        second.create(account.spec("n2"))


@pytest.mark.parametrize("code", ["InvalidGroup.NotFound", "InvalidKeyPair.NotFound"])
def test_what_we_have_made_and_ec2_does_not_know_yet_is_tried_again(account: Account, code: str) -> None:
    account.rig.fail("RunInstances", code, times=2)
    provider = account.open()
    with pytest.raises(TransientError, match="does not show yet"):
        provider.create(account.spec())
    assert provider.create(account.spec()).name == "d1-n1"
    account.rig.fail("RunInstances", code, times=2)
    if code == "InvalidGroup.NotFound":
        named: dict[str, Any] = {"securityGroups": ["default"]}
    else:
        account.rig.boto3().create_key_pair(KeyName="mine")
        named = {"keyPair": "mine"}
    with pytest.raises(InvalidRequestError):  # what the settings name is there, or it is not
        account.open(**named).create(account.spec("n2"))


def test_one_answer_that_knows_nothing_of_a_vm_is_not_believed(account: Account) -> None:
    provider = account.open(visibilityDelay=0)
    vm = provider.create(account.spec())
    provider.list_owned()
    gone = f"The instance ID '{vm.provider_id}' does not exist"
    account.rig.fail("DescribeInstanceStatus", "InvalidInstanceID.NotFound", message=gone)
    assert states(provider.list_owned()) == {"n1": VmState.RUNNING}
    assert states(provider.list_owned()) == {"n1": VmState.RUNNING}  # the whole list was asked for
    account.rig.fail("DescribeInstanceStatus", "InvalidInstanceID.NotFound", message=gone, times=10**6)
    account.rig.fail("DescribeInstances", "InvalidInstanceID.NotFound", message=gone, times=10**6)
    assert states(provider.list_owned()) == {"n1": VmState.RUNNING}
    with pytest.raises(TransientError):
        provider.list_owned()  # nor can it be listed


# -- what is nearly ours -----------------------------------------------------------------------------------------


def test_a_strangers_key_pair_of_our_name_is_not_touched(account: Account) -> None:
    ec2 = account.rig.boto3()
    before = ec2.create_key_pair(KeyName="ebbtide-d1")["KeyPairId"]
    provider = account.open()
    with pytest.raises(InvalidRequestError, match="keyPair"):
        provider.create(account.spec())
    provider._needed_until = 0.0
    provider.list_owned()
    assert [found.partition(" (")[0] for found in provider.sweep()] == ["security group ebbtide-d1"]
    assert [row["KeyPairId"] for row in ec2.describe_key_pairs()["KeyPairs"]] == [before]


def test_a_rule_from_port_zero_on_goes_too(account: Account) -> None:
    account.open(sshFrom=["203.0.113.7/32"]).create(account.spec())
    ec2 = account.rig.boto3()
    [group] = ec2.describe_security_groups(GroupNames=["ebbtide-d1"])["SecurityGroups"]
    wide = {"IpProtocol": "tcp", "FromPort": 0, "ToPort": 65535, "IpRanges": [{"CidrIp": "198.51.100.0/24"}]}
    ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[wide])
    account.open(sshFrom=["203.0.113.7/32"]).create(account.spec("n2"))
    [group] = ec2.describe_security_groups(GroupNames=["ebbtide-d1"])["SecurityGroups"]
    assert [rule["FromPort"] for rule in group["IpPermissions"]] == [22]
    assert account.params("RevokeSecurityGroupIngress")["IpPermissions.1.FromPort"] == "0"


# -- other partitions, credentials, consoles, sizes --------------------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "sent"),
    [
        ("nodes", {"IamInstanceProfile.Name": "nodes"}),
        ("arn:aws:iam::1:instance-profile/n", {"IamInstanceProfile.Arn": "arn:aws:iam::1:instance-profile/n"}),
        ("arn:aws-cn:iam::1:instance-profile/n", {"IamInstanceProfile.Arn": "arn:aws-cn:iam::1:instance-profile/n"}),
    ],
)
def test_an_instance_profile_in_every_partition(account: Account, profile: str, sent: dict[str, str]) -> None:
    with suppress(ProviderError):  # the fake has none
        account.open(instanceProfile=profile).create(account.spec())
    account.rig.mishaps.clear()
    params = account.params("RunInstances")
    assert {key: value for key, value in params.items() if key.startswith("IamInstanceProfile")} == sent


@pytest.mark.parametrize("raised", [UnauthorizedSSOTokenError(), SSOTokenLoadError(error_msg="no token")])
def test_a_login_that_is_over_is_told_as_one(raised: Exception) -> None:
    error = typed(raised, "aws")
    assert type(error) is AuthError and "aws sso login" in str(error)


def test_what_only_ec2_can_read_is_not_shown() -> None:
    message = "You are not authorized. Encoded authorization failure message: " + "x" * 900
    refused = ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": message}}, "RunInstances")
    text = str(typed(refused, "aws"))
    assert "not authorized; allow" in text and "xxx" not in text


def test_a_console_that_cannot_be_read_does_not_hide_the_list(account: Account) -> None:
    provider = account.open(hostKeys="console")
    provider.create(account.spec())
    account.rig.fail("GetConsoleOutput", "UnauthorizedOperation", times=10**6)
    wait_until(lambda: account.rig.instances("running"), within=10)
    assert states(provider.list_owned()) == {"n1": VmState.PENDING}


@pytest.mark.parametrize(
    ("size", "credits", "sent"),
    [("t3.small", "standard", "standard"), ("t3.small", None, None), ("m5.large", "standard", None)],
)
def test_cpu_credits(account: Account, size: str, credits: str | None, sent: str | None) -> None:
    options = {} if credits is None else {"cpuCredits": credits}
    account.open(**options).create(account.spec(size=size))
    assert account.params("RunInstances").get("CreditSpecification.CpuCredits") == sent


@pytest.mark.parametrize(
    ("size", "codes"),
    [
        ("g4dn.xlarge", ["L-DB2E81BA", "L-3819A6DF"]),
        ("inf1.xlarge", ["L-1945791B", "L-B5D1601B"]),
        ("i3.large", ["L-1216C47A", "L-34B43A08"]),
    ],
)
def test_the_limit_is_that_of_the_sizes_family(account: Account, size: str, codes: list[str]) -> None:
    list(account.open(size=size).check())
    asked = [call.params["QuotaCode"] for call in account.rig.calls if call.action == "GetServiceQuota"]
    assert asked == codes


def test_a_controller_outside_of_the_network_hears_of_it(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    from providers.ec2 import network

    monkeypatch.setattr(network, "source_address", lambda target: "192.0.2.9")
    [finding] = [each for each in account.open().check() if each.topic == "network" and each.severity == "warning"]
    assert "192.0.2.9" in finding.text and "sshAddress: public" in (finding.cure or "")


# -- threads -----------------------------------------------------------------------------------------------------


def instance(**changes: Any) -> Instance:
    values: dict[str, Any] = {
        "id": "i-1", "name": "d1-n1", "state": "running", "size": "t3.small", "zone": "a", "spot": False,
        "created": 1.0, "private": "10.0.0.1",
    }  # fmt: skip
    return Instance(**{**values, **changes})


def test_what_is_learnt_while_a_vm_is_being_told_of_is_told_next(rig: CloudRig) -> None:
    account = Account(rig)
    fleet = Fleet(1.0)
    entry = fleet.created(instance())
    vms = account.open()._vms

    class Learning(type(vms)):  # type: ignore[misc]
        def _told(self, *arguments: Any) -> Any:
            told = super()._told(*arguments)
            entry.instance = instance(state="terminated")  # another thread's look, just now
            return told

    vms.__class__ = Learning
    assert vms.of(entry).state is VmState.RUNNING
    vms.__class__ = Vms
    assert vms.of(entry).state is VmState.TERMINATED


def test_what_is_needed_again_while_it_is_removed_stays_noted(account: Account) -> None:
    provider = account.open()
    vm = provider.create(account.spec())
    provider.list_owned()
    removed = provider._network.remove

    def meanwhile(dry: bool = False) -> list[str]:
        assert removed(dry)
        provider._untidy = True  # a create call has begun, in another thread
        return []

    provider._network.remove = meanwhile  # type: ignore[method-assign]
    provider.destroy(vm.name)
    assert provider._untidy


def test_a_look_beside_creates_and_destroys_misses_nobody(account: Account) -> None:
    """What was made before a look began, and is not being ended, is in it; what was gone before is not."""
    account.rig.visibility_delay = lambda _: random.choice((0.0, 0.1))
    account.rig.pending = 0.05
    provider = account.open(visibilityDelay=2, fullListing=1)
    lock = threading.Lock()
    alive: set[str] = set()
    gone: set[str] = set()

    def live(number: int) -> None:
        name = account.name(f"n{number}")
        vm = provider.create(account.spec(f"n{number}"))
        with lock:
            alive.add(name)
        time.sleep(random.uniform(0.0, 0.2))
        with lock:
            alive.discard(name)
        provider.destroy(name, vm.provider_id if number % 2 else None)
        with lock:
            gone.add(name)

    with ThreadPoolExecutor(8) as pool:
        lives = [pool.submit(live, number) for number in range(60)]
        looks = 0
        while not all(each.done() for each in lives):
            with lock:
                before, over = set(alive), set(gone)
            listed = {vm.name for vm in provider.list_owned() if vm.state is not VmState.TERMINATED}
            with lock:
                expected = before & alive
            assert expected <= listed and not over & listed
            looks += 1
        for each in lives:
            each.result()
    assert looks > 3 and account.living() == []

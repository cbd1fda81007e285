"""Ending VMs for certain, and what was made beside them."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from providers import (
    AuthError,
    CapacityError,
    InvalidRequestError,
    ProviderError,
    ThrottledError,
    TransientError,
    VmState,
)

from ..waiting import wait_until
from .conftest import Account, states


def groups_and_keys(account: Account) -> list[str]:
    ec2 = account.rig.boto3()
    names = [row["GroupName"] for row in ec2.describe_security_groups()["SecurityGroups"]]
    names += [row["KeyName"] for row in ec2.describe_key_pairs()["KeyPairs"]]
    return sorted(name for name in names if name != "default")


def test_one_whose_create_call_was_not_answered(account: Account) -> None:
    account.rig.visibility_delay = 0.4
    provider = account.open(visibilityDelay=1)
    account.rig.fail("RunInstances", lose_response=True)
    with pytest.raises(TransientError):
        provider.create(account.spec())
    assert account.living() == ["d1-n1"]
    provider.destroy(account.name("n1"))
    assert account.living() == []
    assert provider.list_owned() == []


def test_one_that_was_really_not_made_is_waited_for_as_long_as_it_may_show(account: Account) -> None:
    provider = account.open(visibilityDelay=0.5)
    account.rig.fail("RunInstances", "InternalError")
    with pytest.raises(TransientError):
        provider.create(account.spec())
    start = time.monotonic()
    provider.destroy(account.name("n1"))
    assert time.monotonic() - start >= 0.4
    before = len(account.rig.calls)
    provider.destroy(account.name("n1"))  # by now it would have shown
    assert account.actions(before).count("DescribeInstances") == 1


def test_the_next_controller_waits_for_what_the_last_one_may_have_made(account: Account) -> None:
    account.rig.visibility_delay = 0.4
    account.rig.fail("RunInstances", lose_response=True)
    with pytest.raises(TransientError):
        account.open().create(account.spec())
    account.open(visibilityDelay=1).destroy(account.name("n1"))
    assert account.living() == []


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ("RunInstances", "InsufficientInstanceCapacity"),
        ("RunInstances", "VcpuLimitExceeded"),
        ("RunInstances", "UnauthorizedOperation"),
        ("DescribeImages", "UnauthorizedOperation"),  # before anything is asked for
    ],
)
def test_a_refusal_says_nothing_of_what_the_last_controller_may_have_made(
    account: Account, action: str, code: str
) -> None:
    account.rig.visibility_delay = 0.4
    account.rig.fail("RunInstances", lose_response=True)
    with pytest.raises(TransientError):
        account.open().create(account.spec())
    following = account.open(visibilityDelay=1)
    account.rig.fail(action, code)
    with pytest.raises(ProviderError):
        following.create(account.spec())
    following.destroy(account.name("n1"))
    assert account.living() == []


@pytest.mark.parametrize("restart", [False, True])
def test_one_that_does_not_show_yet_is_ended_by_its_id(account: Account, restart: bool) -> None:
    account.rig.visibility_delay = 0.4
    provider = account.open(visibilityDelay=1)
    vm = provider.create(account.spec())
    if restart:
        provider = account.open(visibilityDelay=1)
    provider.destroy(vm.name, vm.provider_id)
    assert account.living() == []


def test_one_that_shows_later_than_it_should_is_tried_again(account: Account) -> None:
    account.rig.visibility_delay = 1.5
    provider = account.open(visibilityDelay=0.2)
    vm = provider.create(account.spec())
    assert states(provider.list_owned()) == {"n1": VmState.PENDING}
    with pytest.raises(TransientError, match="does not show yet"):
        provider.destroy(vm.name, vm.provider_id)
    assert states(provider.list_owned()) == {"n1": VmState.PENDING}

    def gone() -> bool:
        try:
            provider.destroy(vm.name, vm.provider_id)
        except TransientError:
            return False
        return True

    wait_until(gone, within=10)
    assert account.living() == []


@pytest.mark.parametrize(
    ("code", "expected"), [("InternalError", TransientError), ("UnauthorizedOperation", ProviderError)]
)
def test_a_failure_is_told_and_the_vm_stays_listed(
    account: Account, code: str, expected: type[ProviderError]
) -> None:
    provider = account.open()
    vm = provider.create(account.spec())
    account.rig.fail("TerminateInstances", code)
    with pytest.raises(expected):
        provider.destroy(vm.name)
    assert states(provider.list_owned()) == {"n1": VmState.RUNNING}
    provider.destroy(vm.name)
    assert account.living() == []


def test_a_lost_answer_and_throttling(account: Account) -> None:
    provider = account.open()
    for node in ("n1", "n2"):
        provider.create(account.spec(node))
    account.rig.fail("TerminateInstances", lose_response=True)
    with pytest.raises(TransientError):
        provider.destroy(account.name("n1"))
    provider.destroy(account.name("n1"))
    account.rig.fail("TerminateInstances", "RequestLimitExceeded", times=2)
    provider.destroy(account.name("n2"))
    assert account.living() == [] and provider.list_owned() == []
    account.rig.fail("DescribeInstances", "RequestLimitExceeded", times=10**6)
    other = account.open()
    other._api._retrying._limit = 0.2
    with pytest.raises(ThrottledError):  # gone is said only when it is known
        other.destroy(account.name("n1"))


def test_a_strangers_vm_is_not_touched_by_any_id(account: Account) -> None:
    stranger = account.rig.stranger({"ebbtide-deployment": "d2", "ebbtide-vm": "d2-n1"})
    plain = account.rig.stranger()
    provider = account.open()
    for instance_id in (stranger, plain):
        with pytest.raises(InvalidRequestError, match="not touched"):
            provider.destroy(account.name("n1"), instance_id)
    assert {account.rig.instance(each).state for each in (stranger, plain)} == {"running"}


def test_one_that_had_ended_by_itself_costs_no_call(account: Account) -> None:
    provider = account.open()
    vm = provider.create(account.spec())
    provider.create(account.spec("n2"))
    provider.list_owned()
    account.rig.preempt(vm.provider_id)
    wait_until(lambda: states(provider.list_owned())["n1"] is VmState.PREEMPTED, within=10)
    before = len(account.rig.calls)
    provider.destroy(vm.name)
    assert account.actions(before) == []


def test_group_and_key_go_with_the_last_vm(account: Account) -> None:
    provider = account.open()
    for node in ("n1", "n2"):
        provider.create(account.spec(node))
    assert groups_and_keys(account) == ["ebbtide-d1", "ebbtide-d1"]
    provider.destroy(account.name("n1"))
    assert groups_and_keys(account) == ["ebbtide-d1", "ebbtide-d1"]
    provider.list_owned()
    provider.destroy(account.name("n2"))
    assert groups_and_keys(account) == []
    provider.create(account.spec("n3"))  # and come again
    assert groups_and_keys(account) == ["ebbtide-d1", "ebbtide-d1"]


def test_group_and_key_wait_a_while_for_a_vm_that_finds_no_room(account: Account) -> None:
    provider = account.open()
    provider.list_owned()
    for node in ("n1", "n2"):
        account.rig.fail("RunInstances", "InsufficientInstanceCapacity")
        with pytest.raises(CapacityError):
            provider.create(account.spec(node))
        provider.destroy(account.name(node))
        assert provider.list_owned() == []
    assert account.actions().count("CreateSecurityGroup") == 1
    assert provider.sweep() == []
    provider._needed_until = 0.0
    provider.sweep()
    assert groups_and_keys(account) == []


def test_a_group_that_is_in_use_until_the_vm_has_gone_is_removed_then(account: Account) -> None:
    provider = account.open()
    vm = provider.create(account.spec())
    provider.list_owned()
    account.rig.fail("DeleteSecurityGroup", "DependencyViolation", times=3)
    provider.destroy(vm.name)
    assert provider.list_owned() == []
    assert len(provider.sweep()) == len(provider.sweep()) == 1  # there is something to clean up still
    assert groups_and_keys(account) == ["ebbtide-d1"]
    assert len(provider.sweep()) == 1 and groups_and_keys(account) == []
    assert provider.sweep() == []
    before = len(account.rig.calls)
    assert provider.sweep() == [] and account.actions(before) == []


def test_a_group_that_somebody_else_uses_is_given_up(account: Account) -> None:
    provider = account.open()
    vm = provider.create(account.spec())
    provider.list_owned()
    account.rig.fail("DeleteSecurityGroup", "DependencyViolation", times=10**6)
    provider.destroy(vm.name)
    assert len(provider.sweep()) == 1
    provider._needed_until -= 301.0
    assert len(provider.sweep()) == 1
    assert provider.sweep() == []


def test_the_next_controller_removes_what_the_last_one_left(account: Account) -> None:
    provider = account.open()
    vm = provider.create(account.spec())
    provider.list_owned()
    account.rig.fail("DeleteSecurityGroup", "DependencyViolation", times=1)
    provider.destroy(vm.name)
    assert groups_and_keys(account) == ["ebbtide-d1"]
    following, before = account.open(), len(account.rig.calls)
    assert following.list_owned() == []
    [found] = following.sweep(dry=True)
    assert found.startswith("security group ebbtide-d1 (sg-")
    assert [action for action in account.actions(before) if not action.startswith("Describe")] == []
    assert following.sweep() == [found]
    assert groups_and_keys(account) == []


def test_a_refusal_to_remove_is_told_once(account: Account, caplog: pytest.LogCaptureFixture) -> None:
    provider = account.open()
    vm = provider.create(account.spec())
    provider.list_owned()
    account.rig.fail("DeleteKeyPair", "InternalError")
    account.rig.fail("DeleteKeyPair", "UnauthorizedOperation", times=10**6)
    provider.destroy(vm.name)
    assert account.living() == [] and "cannot be removed now" in caplog.text
    with pytest.raises(AuthError):
        provider.sweep()
    assert provider.sweep() == []


def test_what_the_settings_name_is_not_ours_to_remove(account: Account) -> None:
    ec2 = account.rig.boto3()
    ec2.create_key_pair(KeyName="mine")
    group = ec2.create_security_group(GroupName="mine", Description="x")["GroupId"]
    provider = account.open(keyPair="mine", securityGroups=["mine"])
    provider.create(account.spec("n1"))
    sent = account.params("RunInstances")
    assert (sent["KeyName"], sent["SecurityGroupId.1"]) == ("mine", group)
    provider.destroy(account.name("n1"))
    assert provider.list_owned() == []
    assert groups_and_keys(account) == ["mine", "mine"]
    assert not provider.capabilities().isolation and account.open().capabilities().isolation
    with pytest.raises(InvalidRequestError, match="no security group 'yours'; it has default, mine"):
        account.open(securityGroups=["yours"]).create(account.spec("n2"))


def test_many_at_once(account: Account) -> None:
    provider = account.open()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: provider.create(account.spec(f"n{n}")), range(32)))
        provider.list_owned()
        list(pool.map(lambda n: provider.destroy(account.name(f"n{n}")), range(32)))
    assert provider.list_owned() == []
    assert account.living() == [] and groups_and_keys(account) == []

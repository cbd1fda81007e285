"""What a look at EC2 costs, and what it sees: also what is new, gone, reclaimed or odd."""

import math
import time
from typing import Any

import pytest

from providers import TransientError, VmState
from providers.ec2 import listing
from providers.ec2.instance import from_description

from ..waiting import wait_until
from .conftest import Account, states


def test_a_steady_look_is_one_call_for_a_hundred(account: Account) -> None:
    provider = account.open()
    for number in range(5):
        provider.create(account.spec(f"n{number}"))
    provider.list_owned()
    before = len(account.rig.calls)
    assert set(states(provider.list_owned()).values()) == {VmState.RUNNING}
    assert account.actions(before) == ["DescribeInstanceStatus"]
    account.rig.pending = 3600.0
    provider.create(account.spec("late"))
    before = len(account.rig.calls)
    assert states(provider.list_owned())["late"] is VmState.PENDING
    assert account.actions(before) == ["DescribeInstanceStatus", "DescribeInstances"]


def test_chunks_and_pages(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "_CHUNK", 4)
    monkeypatch.setattr(listing, "_PAGE", 5)
    provider = account.open()
    for number in range(11):
        provider.create(account.spec(f"n{number:02}"))
    other = account.open()
    assert len(other.list_owned()) == 11
    assert account.actions().count("DescribeInstances") == 3
    before = len(account.rig.calls)
    assert other.list_owned() == provider.list_owned()
    assert account.actions(before).count("DescribeInstanceStatus") == 3


def test_the_whole_list_comes_again_in_time(account: Account) -> None:
    provider = account.open(fullListing=1)
    provider.list_owned()
    account.open().create(account.spec())  # nobody told this one
    wait_until(lambda: states(provider.list_owned()) == {"n1": VmState.RUNNING}, within=10)


def test_one_that_has_lost_its_tags_with_its_life_is_known_by_its_id(account: Account) -> None:
    provider = account.open()
    vm = provider.create(account.spec())
    provider.list_owned()
    account.rig.preempt(vm.provider_id)
    wait_until(lambda: account.rig.instance(vm.provider_id).state == "terminated", within=10)
    account.rig.boto3().delete_tags(Resources=[vm.provider_id], Tags=[{"Key": "ebbtide-vm"}])
    assert states(provider.list_owned()) == {"n1": VmState.PREEMPTED}


@pytest.mark.parametrize("notice", [0.0, 0.3])
def test_a_reclaimed_spot_vm_is_preempted(account: Account, notice: float) -> None:
    provider = account.open()
    vm = provider.create(account.spec())
    provider.list_owned()
    account.rig.preempt(vm.provider_id, notice)
    wait_until(lambda: states(provider.list_owned()) == {"n1": VmState.PREEMPTED}, within=10)
    [seen] = provider.list_owned()
    assert seen.reason == "EC2 took the spot VM back (Server.SpotInstanceTermination)"
    assert states(account.open().list_owned()) == {"n1": VmState.PREEMPTED}  # the next controller hears it too
    provider.destroy(vm.name)
    assert provider.list_owned() == []


def test_an_end_that_somebody_else_made_is_told_once_and_not_to_the_next_controller(account: Account) -> None:
    provider = account.open()
    vm = provider.create(account.spec())
    provider.list_owned()
    account.rig.boto3().terminate_instances(InstanceIds=[vm.provider_id])
    [seen] = provider.list_owned()
    assert seen.state is VmState.TERMINATED and "terminated by a call of the EC2 API" in (seen.reason or "")
    assert account.open().list_owned() == []


def test_a_stopped_vm_is_over_and_is_ended(account: Account) -> None:
    provider = account.open()
    vm = provider.create(account.spec(low_priority=False))
    provider.list_owned()
    account.rig.boto3().stop_instances(InstanceIds=[vm.provider_id])
    wait_until(lambda: states(provider.list_owned()) == {"n1": VmState.TERMINATED}, within=10)
    assert states(account.open().list_owned()) == {"n1": VmState.TERMINATED}  # its disk costs
    provider.destroy(vm.name)
    assert account.living() == [] and provider.list_owned() == []


def test_what_is_new_may_be_unknown_for_a_while_and_is_pending(account: Account) -> None:
    account.rig.visibility_delay = 0.6
    provider = account.open(visibilityDelay=5)
    provider.list_owned()
    account.rig.pending = 0.2
    vm = provider.create(account.spec())
    seen: list[VmState] = []
    end = time.monotonic() + 20
    while not seen or seen[-1] is not VmState.RUNNING:
        [state] = states(provider.list_owned()).values()  # it is never missing
        seen.append(state)
        assert time.monotonic() < end
    assert seen[0] is VmState.PENDING
    assert any(call.code == "InvalidInstanceID.NotFound" for call in account.rig.calls)
    assert provider.list_owned()[0].provider_id == vm.provider_id


def test_a_stranger_is_not_seen(account: Account) -> None:
    account.rig.stranger({"ebbtide-deployment": "d2", "ebbtide-vm": "d2-n1"})
    account.rig.stranger({"Name": "d1-n1"})
    provider = account.open()
    provider.create(account.spec())
    assert states(provider.list_owned()) == {"n1": VmState.RUNNING}
    assert len(account.open().list_owned()) == 1


@pytest.mark.parametrize("name", ["d2-n1", "d1-n1; reboot", "../d1-n1", "", "d1-" + "n" * 200])
def test_what_carries_our_tag_and_no_name_of_ours_is_not_ours(account: Account, name: str) -> None:
    stranger = account.rig.stranger({"ebbtide-deployment": "d1", "ebbtide-vm": name})
    provider = account.open()
    provider.create(account.spec())
    assert states(provider.list_owned()) == states(account.open().list_owned()) == {"n1": VmState.RUNNING}
    provider.destroy("d1-n1")
    assert account.rig.instance(stranger).state == "running"


def test_words_in_any_script_come_back_as_they_were(account: Account) -> None:
    tags = {"équipe <&\"'>": "日本 & <b>\u00a0'\" +%2B", "leer": ""}
    provider = account.open(tags={"mañana": "täglich"})
    provider.create(account.spec(pool_id="мой-пул <&> 🐳", tags=tags))
    for each in (provider, account.open()):
        [vm] = each.list_owned()
        assert {key: value for key, value in vm.tags.items() if key != "mañana"} == tags
    [instance] = account.rig.instances()
    assert instance.tags["ebbtide-pool"] == "мой-пул <&> 🐳" and instance.tags["mañana"] == "täglich"


def test_of_two_of_one_name_the_oldest_stays(account: Account) -> None:
    provider = account.open()
    vm = provider.create(account.spec())
    tags = [{"Key": "ebbtide-deployment", "Value": "d1"}, {"Key": "ebbtide-vm", "Value": vm.name}]
    time.sleep(1.05)  # launch times have whole seconds
    account.rig.boto3().run_instances(
        ImageId=account.spec().image,
        MinCount=2,
        MaxCount=2,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )
    assert len(account.living()) == 3
    other = account.open()
    assert [each.provider_id for each in other.list_owned()] == [vm.provider_id]
    found = other.sweep(dry=True)
    assert len(found) == 2 and all("a second VM of the name d1-n1" in each for each in found)
    assert len(account.living()) == 3
    assert other.sweep() == found and other.sweep() == []
    assert [it.id for it in account.rig.instances("running")] == [vm.provider_id]


def test_a_failing_look_changes_nothing(account: Account) -> None:
    provider = account.open()
    provider.create(account.spec())
    provider.list_owned()
    for fault in ({"code": "InternalError"}, {"lose_response": True}, {"code": "InvalidInstanceID.NotFound"}):
        account.rig.fail("DescribeInstanceStatus", **fault)
        with pytest.raises(TransientError):
            provider.list_owned()
    account.rig.fail("DescribeInstances", "InvalidInstanceID.NotFound")
    with pytest.raises(TransientError):
        account.open().list_owned()
    assert states(provider.list_owned()) == {"n1": VmState.RUNNING}


def test_a_slow_answer_ends_at_the_time_limit(account: Account) -> None:
    provider = account.open(timeout=0.3)
    account.rig.fail("DescribeInstances", latency=60)
    start = time.monotonic()
    with pytest.raises(TransientError):
        provider.list_owned()
    assert time.monotonic() - start < 30


def test_host_keys_from_the_console(account: Account) -> None:
    account.rig.boot_delay = math.inf
    provider = account.open(hostKeys="console")
    vm = provider.create(account.spec())
    assert (vm.state, vm.host_key) == (VmState.PENDING, None)
    assert provider.list_owned()[0].state is VmState.PENDING  # it runs, and cannot be pinned yet
    account.rig.boot_delay = 0.0

    def running() -> bool:
        provider._consoles._asked.clear()  # not as patient as with a real cloud
        return provider.list_owned()[0].state is VmState.RUNNING

    wait_until(running, within=10)
    key = provider.list_owned()[0].host_key
    assert key is not None and key.startswith("ssh-ed25519 AAAA")
    assert key in (provider.console(vm.name) or "")
    assert "BEGIN OPENSSH PRIVATE KEY" not in account.params("RunInstances")["UserData"]


def row(**changes: Any) -> dict[str, Any]:
    tags = [{"Key": "ebbtide-vm", "Value": "d1-n1"}]
    return {"InstanceId": "i-1", "State": {"Name": "terminated"}, "InstanceLifecycle": "spot", "Tags": tags, **changes}


@pytest.mark.parametrize(
    ("changes", "state", "reason"),
    [
        ({"StateReason": {"Code": "Server.SpotInstanceTermination"}}, VmState.PREEMPTED, "took the spot VM back"),
        ({"StateTransitionReason": "Server.SpotInstanceTermination: Spot"}, VmState.PREEMPTED, "took the spot VM back"),
        ({"StateReason": {"Code": "Server.SpotInstanceShutdown"}, "State": {"Name": "stopped"}}, VmState.PREEMPTED, ""),
        ({"StateReason": {"Code": "Client.InstanceInitiatedShutdown"}}, VmState.TERMINATED, "powered itself off"),
        ({"StateTransitionReason": "User initiated (2026-01-01)"}, VmState.TERMINATED, "call of the EC2 API"),
        ({"StateReason": {"Code": "Server.Odd", "Message": "Server.Odd: It broke"}}, VmState.TERMINATED, "It broke"),
        ({"State": {"Name": "shutting-down"}}, VmState.TERMINATED, "shutting-down"),
        ({"State": {"Name": "stopping"}}, VmState.TERMINATED, "stopping"),
        ({"State": {"Name": "dreaming"}}, VmState.UNKNOWN, None),
        ({"State": {"Name": "pending"}}, VmState.PENDING, None),
    ],
)
def test_states_and_reasons(changes: dict[str, Any], state: VmState, reason: str | None) -> None:
    instance = from_description(row(**changes))
    assert instance is not None and instance.vm_state is state
    assert (instance.reason is None) if reason is None else reason in (instance.reason or "")


def test_without_our_tag_it_is_nobody() -> None:
    assert from_description({**row(), "Tags": [{"Key": "Name", "Value": "d1-n1"}]}) is None

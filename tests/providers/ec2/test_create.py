"""Creating: one call, one VM, whatever is lost on the way."""

import base64
from concurrent.futures import ThreadPoolExecutor

import pytest

from providers import (
    AuthError,
    CapacityError,
    HostKeys,
    InvalidRequestError,
    ProviderError,
    QuotaError,
    ThrottledError,
    TransientError,
    VmState,
    open_provider,
)
from providers.ec2.launch import client_token

from .conftest import IMAGE, KEY, SECRET, Account, states


def test_everything_a_vm_needs_is_in_the_one_call(account: Account) -> None:
    provider = account.open(
        tags={"team": "night"}, idleTimeout=600, diskSize=30, userData="#!/bin/sh\necho hello\n", maxPrice=0.5
    )
    vm = provider.create(account.spec(tags={"cost": "42"}))
    sent = account.params("RunInstances")
    assert sent["ClientToken"] == client_token(vm.name) and len(sent["ClientToken"]) <= 64
    assert sent["InstanceInitiatedShutdownBehavior"] == "terminate"
    assert sent["InstanceMarketOptions.MarketType"] == "spot"
    assert sent["InstanceMarketOptions.SpotOptions.MaxPrice"] == "0.5"
    assert (sent["MinCount"], sent["MaxCount"]) == ("1", "1")
    assert sent["MetadataOptions.HttpTokens"] == "required"
    assert sent["BlockDeviceMapping.1.Ebs.DeleteOnTermination"] == "true"
    assert sent["BlockDeviceMapping.1.Ebs.Encrypted"] == "true"
    assert sent["BlockDeviceMapping.1.Ebs.VolumeSize"] == "30"
    for kind, resource in (("1", "instance"), ("2", "volume")):
        root = f"TagSpecification.{kind}."
        assert sent[f"{root}ResourceType"] == resource
        tags = {sent[f"{root}Tag.{n}.Key"]: sent[f"{root}Tag.{n}.Value"] for n in range(1, 8)}
        assert tags == {
            "Name": vm.name,
            "ebbtide-vm": vm.name,
            "ebbtide-deployment": "d1",
            "ebbtide-pool": "mainPool",
            "ebbtide-node": "n1",
            "team": "night",
            "cost": "42",
        }
    script = base64.b64decode(sent["UserData"]).decode()
    assert HostKeys(SECRET).private(vm.name).strip() in script
    assert KEY in script and "ebbtide-dead-man" in script and "ebbtide-user-data" in script
    assert vm.tags == {"cost": "42"}
    assert (vm.size, vm.zone, vm.host_key) == ("t3.small", "us-east-1a", HostKeys(SECRET).public(vm.name))


def test_a_dedicated_one_in_a_zone_of_choice(account: Account) -> None:
    vm = account.open(diskEncrypted=False).create(account.spec(low_priority=False, zone="us-east-1c"))
    sent = account.params("RunInstances")
    assert sent["Placement.AvailabilityZone"] == "us-east-1c" == vm.zone
    assert not any(key.startswith("InstanceMarketOptions") or key.endswith("Encrypted") for key in sent)
    assert (vm.low_priority, vm.price_per_hour) == (False, 0.022)


def test_a_large_script_goes_through(account: Account) -> None:
    noise = base64.b64encode(bytes(range(256)) * 26).decode()
    account.open().create(account.spec(user_data=f"#!/bin/sh\n# {noise}\n"))
    assert len(account.params("RunInstances")["UserData"]) > 16_000
    with pytest.raises(InvalidRequestError, match="too long"):
        account.open().create(account.spec("n2", user_data=f"#!/bin/sh\n# {noise * 2}\n"))
    with pytest.raises(InvalidRequestError, match="#!"):
        account.open().create(account.spec("n2", user_data="echo"))
    assert account.living() == ["d1-n1"]


def test_a_lost_answer_and_the_same_call_again_is_one_vm(account: Account) -> None:
    provider = account.open()
    account.rig.fail("RunInstances", lose_response=True)
    with pytest.raises(TransientError):
        provider.create(account.spec())
    vm = provider.create(account.spec())
    assert [it.id for it in account.rig.instances()] == [vm.provider_id]
    first, second = (call for call in account.rig.calls if call.action == "RunInstances")
    assert first.params == second.params and second.code is None  # the very same, or EC2 would refuse it


def test_a_lost_answer_is_found_by_the_next_look(account: Account) -> None:
    provider = account.open()
    provider.list_owned()
    account.rig.fail("RunInstances", lose_response=True)
    with pytest.raises(TransientError):
        provider.create(account.spec())
    assert states(provider.list_owned()) == {"n1": VmState.RUNNING}


def test_the_next_controller_finds_the_same_vm_though_settings_have_changed(account: Account) -> None:
    first = account.open().create(account.spec())
    again = account.open(userData="#!/bin/sh\nexit 0\n").create(account.spec())
    assert again.provider_id == first.provider_id
    assert len(account.rig.instances()) == 1


def test_what_has_changed_and_does_not_show_is_tried_again(account: Account) -> None:
    account.open().create(account.spec())
    account.rig.fail("DescribeInstances", "RequestLimitExceeded", times=0)
    account.rig.visibility_delay = 3600
    account.open().create(account.spec("n2"))
    with pytest.raises(TransientError, match="does not show yet"):
        account.open(idleTimeout=60).create(account.spec("n2"))
    account.rig.visibility_delay = 0


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("InsufficientInstanceCapacity", CapacityError),
        ("SpotMaxPriceTooLow", CapacityError),
        ("VcpuLimitExceeded", QuotaError),
        ("UnauthorizedOperation", AuthError),
        ("InvalidSubnetID.NotFound", InvalidRequestError),
    ],
)
def test_a_refusal_is_told_and_leaves_nothing(account: Account, code: str, expected: type[ProviderError]) -> None:
    provider = account.open()
    account.rig.fail("RunInstances", code)
    with pytest.raises(expected):
        provider.create(account.spec())
    assert account.rig.instances() == []
    provider.destroy(account.name("n1"))
    assert provider.create(account.spec()).name == account.name("n1")  # and the name is free still


def test_a_throttled_call_is_repeated_for_a_while(account: Account) -> None:
    fault = account.rig.fail("RunInstances", "RequestLimitExceeded", times=2)
    provider = account.open()
    provider.create(account.spec())
    assert fault.hits == 2 and account.living() == ["d1-n1"]


def test_throttling_that_lasts_is_the_callers_business(account: Account) -> None:
    provider = account.open()
    provider._api._retrying._limit = 0.3
    account.rig.fail("RunInstances", "RequestLimitExceeded", times=10**6)
    with pytest.raises(ThrottledError):
        provider.create(account.spec())
    account.rig.clear_faults()
    assert account.living() == []


def test_the_spot_market_and_the_zones_are_the_clouds(account: Account) -> None:
    account.rig.spot_prices["us-east-1a", "t3.small"] = 0.0071
    account.rig.capacity["us-east-1b", "t3.small"] = 0
    provider = account.open()
    assert provider.create(account.spec(zone="us-east-1a")).price_per_hour == 0.0071
    with pytest.raises(CapacityError):
        provider.create(account.spec("n2", zone="us-east-1b"))
    with pytest.raises(CapacityError, match="maxPrice"):
        provider.create(account.spec("n3", zone="us-east-1a", max_price=0.007))
    provider.create(account.spec("n4", zone="us-east-1a", max_price=0.0071))


def test_a_price_that_nobody_tells_is_unknown_and_holds_nothing_up(account: Account) -> None:
    account.rig.fail("DescribeSpotPriceHistory", "UnauthorizedOperation", times=10**6)
    provider = account.open()
    assert provider.create(account.spec()).price_per_hour is None
    assert provider.list_owned()[0].price_per_hour is None
    provider.list_owned()
    assert account.actions().count("DescribeSpotPriceHistory") == 1  # asked again later, not at every look
    assert account.open(lowPriorityPrices={"t3.small": 0.004}).list_owned()[0].price_per_hour == 0.004


def test_fifty_creates_at_once_prepare_once(account: Account) -> None:
    provider = account.open()
    with ThreadPoolExecutor(50) as pool:
        vms = list(pool.map(lambda n: provider.create(account.spec(f"n{n}")), range(50)))
    assert len({vm.provider_id for vm in vms}) == 50 and len(account.living()) == 50
    actions = account.actions()
    for once in ("DescribeImages", "CreateSecurityGroup", "ImportKeyPair", "DescribeSpotPriceHistory"):
        assert actions.count(once) == 1, once


def test_a_group_and_key_that_were_taken_away_are_made_again(account: Account) -> None:
    provider = account.open()
    provider.create(account.spec())
    provider._fleet.destroyed([it.id for it in account.rig.instances()], None)
    ec2 = account.rig.boto3()
    ec2.terminate_instances(InstanceIds=[it.id for it in account.rig.instances()])
    ec2.delete_key_pair(KeyName="ebbtide-d1")
    [group] = ec2.describe_security_groups(GroupNames=["ebbtide-d1"])["SecurityGroups"]
    ec2.delete_security_group(GroupId=group["GroupId"])
    provider.create(account.spec("n2"))
    assert account.living() == ["d1-n2"]


def test_an_image_by_name_is_looked_for_among_trusted_owners_only(account: Account) -> None:
    provider = account.open(images={"debian": IMAGE}, image="136693071363/rig-debian-12-*64")
    assert [image.name for image in provider.images()] == ["136693071363/rig-debian-12-*64", "debian"]
    provider.create(account.spec("n1", image="debian"))
    assert account.params("RunInstances")["ImageId"] == IMAGE
    provider.create(account.spec("n2", image="136693071363/rig-debian-12-amd64"))
    sent = account.params("DescribeImages")
    assert sent["Owner.1"] == "136693071363"
    with pytest.raises(InvalidRequestError, match="does not know the image 'rig-debian-12-amd64'"):
        provider.create(account.spec("n3", image="rig-debian-12-amd64"))
    assert {account.params("DescribeImages")[f"Owner.{n}"] for n in (1, 2)} == {"self", "amazon"}
    asked = account.actions().count("DescribeImages")
    provider.create(account.spec("n4", image="debian"))
    assert account.actions().count("DescribeImages") == asked


def test_a_new_kind_of_key_comes_by_user_data_alone(account: Account) -> None:
    account.open().create(account.spec(public_key="ecdsa-sha2-nistp256 AAAA"))
    assert "KeyName" not in account.params("RunInstances")
    assert "ImportKeyPair" not in account.actions()


def test_it_needs_host_keys(account: Account) -> None:
    provider = open_provider("aws", account.rig.settings(), "d1")
    with pytest.raises(InvalidRequestError, match="host_keys"):
        provider.create(account.spec())
    assert account.living() == []


@pytest.mark.parametrize("size", ["standard_d2s_v3", "T3.small", "small"])
def test_what_is_no_size_is_refused_without_asking(account: Account, size: str) -> None:
    with pytest.raises(InvalidRequestError, match="does not know the vmSize"):
        account.open().create(account.spec(size=size))
    assert account.rig.calls == []


def test_a_size_that_ec2_does_not_know_is_ec2s_to_refuse(account: Account) -> None:
    with pytest.raises(InvalidRequestError, match="t99"):
        account.open().create(account.spec(size="t99.huge"))

"""Subnets, zones, and the security group of our own."""

from typing import Any

import pytest

from providers import InvalidRequestError
from providers.ec2 import network

from .conftest import Account


def subnets(account: Account) -> dict[str, str]:
    rows = account.rig.boto3().describe_subnets()["Subnets"]
    return {row["AvailabilityZone"]: row["SubnetId"] for row in rows}


def rules(account: Account) -> list[tuple[str, int, str]]:
    rows = account.rig.boto3().describe_security_groups(GroupNames=["ebbtide-d1"])["SecurityGroups"]
    found = [rule for row in rows for rule in row["IpPermissions"]]
    return sorted(
        (rule["IpProtocol"], rule["FromPort"], each.get("CidrIp") or each.get("CidrIpv6"))
        for rule in found
        for each in (*rule["IpRanges"], *rule["Ipv6Ranges"], *rule["UserIdGroupPairs"])
    )


def test_nothing_but_ssh_from_where_the_settings_say(account: Account) -> None:
    account.open(sshFrom=["203.0.113.7/32", "2001:db8::/64"], sshPort=2222).create(account.spec())
    assert rules(account) == [("tcp", 2222, "2001:db8::/64"), ("tcp", 2222, "203.0.113.7/32")]
    assert len(set(account.rig.instances()[0].groups)) == 1


def test_without_a_setting_from_this_machine_alone(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "source_address", lambda target: "10.1.2.3")
    account.open().create(account.spec())
    assert rules(account) == [("tcp", 22, "10.1.2.3/32")]
    monkeypatch.setattr(network, "source_address", lambda target: None)
    with pytest.raises(InvalidRequestError, match="set sshFrom"):
        account.open().create(account.spec("n2"))


def test_the_address_of_this_machine() -> None:
    assert network.source_address("127.0.0.9") == "127.0.0.1"
    assert network.source_address("no address") is None


def test_rules_follow_the_settings_and_nothing_else_stays(account: Account) -> None:
    account.open(sshFrom=["203.0.113.7/32"]).create(account.spec())
    ec2 = account.rig.boto3()
    [group] = ec2.describe_security_groups(GroupNames=["ebbtide-d1"])["SecurityGroups"]
    itself = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group["GroupId"]}]}
    ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[itself])
    account.open(sshFrom=["203.0.113.8/32"]).create(account.spec("n2"))
    assert rules(account) == [("tcp", 22, "203.0.113.8/32")]
    before = len(account.rig.calls)
    account.open(sshFrom=["203.0.113.8/32"]).create(account.spec("n3"))
    assert not any("SecurityGroupIngress" in action for action in account.actions(before))


def test_a_strangers_group_of_our_name_is_not_ours(account: Account) -> None:
    account.rig.boto3().create_security_group(GroupName="ebbtide-d1", Description="a stranger's")
    with pytest.raises(InvalidRequestError, match=r"InvalidGroup\.Duplicate"):
        account.open(sshFrom=["203.0.113.7/32"]).create(account.spec())


def test_a_subnet_for_each_zone(account: Account) -> None:
    own = {zone: subnet for zone, subnet in subnets(account).items() if zone in ("us-east-1a", "us-east-1b")}
    provider = account.open(subnets=own)
    assert provider.profile().zones == ("us-east-1a", "us-east-1b")
    for node, zone in (("n1", "us-east-1a"), ("n2", "us-east-1b")):
        vm = provider.create(account.spec(node, zone=zone))
        sent = account.params("RunInstances")
        assert (vm.zone, sent["SubnetId"]) == (zone, own[zone])
        assert sent["SecurityGroupId.1"].startswith("sg-")


def test_a_pools_subnet_goes_first_and_has_its_own_zone(account: Account) -> None:
    own = subnets(account)
    provider = account.open(subnet=own["us-east-1a"])
    vm = provider.create(account.spec("n1", subnet=own["us-east-1d"], zone="us-east-1a"))
    assert vm.zone == "us-east-1d"
    assert provider.create(account.spec("n2")).zone == "us-east-1a"
    with pytest.raises(InvalidRequestError, match="subnet"):
        provider.create(account.spec("n3", subnet="subnet-0123456789abcdef0"))


@pytest.mark.parametrize("with_subnet", [False, True])
def test_a_public_address(account: Account, with_subnet: bool) -> None:
    more: dict[str, Any] = {"subnet": subnets(account)["us-east-1b"]} if with_subnet else {}
    provider = account.open(sshAddress="public", sshFrom=["203.0.113.7/32"], **more)
    provider.create(account.spec())
    sent = account.params("RunInstances")
    assert sent["NetworkInterface.1.AssociatePublicIpAddress"] == "true"
    assert sent["NetworkInterface.1.SecurityGroupId.1"].startswith("sg-")
    assert "SecurityGroupId.1" not in sent
    [vm] = provider.list_owned()
    assert vm.address == account.rig.instances()[0].public_ip


def test_a_region_without_a_default_network_says_so(account: Account) -> None:
    [vpc] = account.rig.boto3().describe_vpcs()["Vpcs"]
    ec2 = account.rig.boto3()
    for subnet in subnets(account).values():
        ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=vpc["VpcId"])
    with pytest.raises(InvalidRequestError, match="no default network; set `subnet`"):
        account.open().create(account.spec())


def test_a_rule_that_somebody_took_away_comes_back(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = account.open(sshFrom=["203.0.113.7/32"])
    provider.create(account.spec())
    ec2 = account.rig.boto3()
    [group] = ec2.describe_security_groups(GroupNames=["ebbtide-d1"])["SecurityGroups"]
    ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"])
    provider.create(account.spec("n2"))
    assert rules(account) == []  # it is not looked at for every VM
    monkeypatch.setattr(network, "_KEEP", 0.0)
    provider.create(account.spec("n3"))
    assert rules(account) == [("tcp", 22, "203.0.113.7/32")]

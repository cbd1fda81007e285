"""What RunInstances refuses: room, prices, limits, and what does not exist."""

from typing import Any

import pytest

from tests.rig import SIZE, CloudRig
from tests.rig.asking import refused, run


def test_a_dry_run_meets_permissions_only(rig: CloudRig) -> None:
    rig.capacity["us-east-1a", SIZE] = 0
    rig.fail("RunInstances", "InsufficientInstanceCapacity")
    assert refused(lambda: run(rig, DryRun=True)) == ("DryRunOperation", 412)
    rig.clear_faults()
    rig.fail("RunInstances", "UnauthorizedOperation")
    assert refused(lambda: run(rig, DryRun=True))[0] == "UnauthorizedOperation"
    assert rig.instances() == []


def test_room_in_a_zone_ends(rig: CloudRig) -> None:
    zones = [f"us-east-1{letter}" for letter in "ab"]
    for zone in rig.market.zones(SIZE):
        rig.capacity[zone, SIZE] = 1 if zone in zones else 0
    assert refused(lambda: run(rig, Placement={"AvailabilityZone": "us-east-1c"}))[0] == "InsufficientInstanceCapacity"
    assert {rig.instance(run(rig)).zone for _ in zones} == set(zones)
    assert refused(lambda: run(rig)) == ("InsufficientInstanceCapacity", 500)
    rig.boto3().terminate_instances(InstanceIds=[rig.instances()[0].id])
    assert rig.instance(run(rig)).zone == zones[0]


def test_spot_has_a_price(rig: CloudRig) -> None:
    rig.spot_prices["us-east-1b", SIZE] = 0.05
    history = rig.boto3().describe_spot_price_history(InstanceTypes=[SIZE], AvailabilityZone="us-east-1b")
    assert [entry["SpotPrice"] for entry in history["SpotPriceHistory"]] == ["0.050000"]
    spot = {"MarketType": "spot", "SpotOptions": {"MaxPrice": "0.049"}}
    where = {"AvailabilityZone": "us-east-1b"}
    assert refused(lambda: run(rig, InstanceMarketOptions=spot, Placement=where))[0] == "SpotMaxPriceTooLow"
    spot["SpotOptions"] = {"MaxPrice": "0.05"}
    assert rig.instance(run(rig, InstanceMarketOptions=spot, Placement=where)).lifecycle == "spot"


def test_limits_can_be_read_and_are_kept(rig: CloudRig) -> None:
    rig.market.vcpus, rig.market.spot_vcpus, rig.market.instances = 2, 0, 2
    quotas = rig.boto3("service-quotas")
    answer = quotas.get_service_quota(ServiceCode="ec2", QuotaCode="L-1216C47A")
    assert answer["Quota"]["Value"] == 2
    run(rig)
    assert refused(lambda: run(rig))[0] == "VcpuLimitExceeded"
    assert refused(lambda: run(rig, InstanceMarketOptions={"MarketType": "spot"}))[0] == "MaxSpotInstanceCountExceeded"
    rig.market.vcpus, rig.market.instances = 100, 1
    assert refused(lambda: run(rig))[0] == "InstanceLimitExceeded"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [({"ImageId": "ami-0000"}, "InvalidAMIID.NotFound"), ({"KeyName": "nobody"}, "InvalidKeyPair.NotFound"),
     ({"SecurityGroups": ["nobody"]}, "InvalidGroup.NotFound"), ({"InstanceType": "t9.x"}, "InvalidParameterValue"),
     ({"SecurityGroupIds": ["sg-0000"]}, "InvalidGroup.NotFound"),
     ({"SubnetId": "subnet-0000"}, "InvalidSubnetID.NotFound"),
     ({"Placement": {"AvailabilityZone": "eu-west-1a"}}, "InvalidParameterValue"),
     ({"UserData": "x" * 16385}, "InvalidParameterValue")],
)  # fmt: skip
def test_what_does_not_exist_is_refused(rig: CloudRig, wrong: dict[str, Any], code: str) -> None:
    assert refused(lambda: run(rig, **wrong)) == (code, 400)
    assert rig.instances() == []

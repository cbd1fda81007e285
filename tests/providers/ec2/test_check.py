"""The look before: everything that would stop a VM is found, and nothing is made."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from providers import Finding, Provider, Severity, open_provider

from .conftest import IMAGE, Account


def found(provider: Provider, topic: str) -> list[Finding]:
    return [finding for finding in provider.check() if finding.topic == topic]


def test_all_is_well(account: Account) -> None:
    findings = list(account.open(sshFrom=["203.0.113.7/32"]).check())
    assert {finding.severity for finding in findings} == {Severity.OK}
    assert [finding.topic for finding in findings] == [
        "credentials",
        "image",
        "size",
        "network",
        "network",
        "permission",
        "permission",
        "quota",
        "quota",
        "price",
    ]
    assert account.rig.instances() == []
    made = [call for call in account.rig.calls if call.action.startswith(("Create", "Import", "Run", "Authorize"))]
    assert [call.code for call in made] == ["DryRunOperation"] * 2


@pytest.mark.parametrize(
    ("settings", "topic", "severity", "text", "cure"),
    [
        ({"image": None}, "image", "warning", "no image is set", "set `image`"),
        ({"image": "ami-0123456789abcdef0"}, "image", "error", "does not know the image", None),
        ({"image": "ami-0e0bb71de00000002"}, "image", "error", "t3.small runs .* and not arm64", "architecture"),
        ({"size": None}, "size", "warning", "no size is set", "set `size`"),
        ({"size": "t99.huge"}, "size", "error", "t99.huge is not offered in us-east-1", "another size"),
        ({"zones": ["us-east-1a", "us-east-1e"]}, "size", "warning", "not offered in us-east-1e", "us-east-1b"),
        ({"zones": ["us-east-1e"]}, "size", "error", "in no zone of the settings", "us-east-1b"),
        ({"zones": ["us-east-1a", "us-west-2a"]}, "zone", "warning", "us-east-1 has no zone us-west-2a", "us-east-1b"),
        ({"zones": ["us-east-1z", "us-west-2a"]}, "zone", "error", "has no zone us-east-1z, us-west-2a", "us-east-1b"),
        ({"subnet": "subnet-0123"}, "network", "error", "'subnet-0123' does not exist", "name a subnet of this region"),
        ({"sshFrom": ["0.0.0.0/0"]}, "network", "warning", "the whole world", "own address"),
        ({"sshFrom": ["127.64.0.0/16"]}, "network", "warning", "contains nodes", "own address"),
        ({"securityGroups": ["default"]}, "network", "ok", "their rules decide", None),
        ({"securityGroups": ["nobody"]}, "network", "error", "no security group 'nobody'", None),
        ({"maxPrice": 0.001}, "price", "warning", "above maxPrice 0.001", "raise it"),
        ({"prices": {"t3.small": 0.0}}, "price", "warning", "dedicated unknown", "`prices`"),
    ],
)
def test_what_is_wrong(
    account: Account, settings: dict[str, Any], topic: str, severity: str, text: str, cure: str | None
) -> None:
    options = {key: value for key, value in account.rig.settings(**settings).items() if value is not None}
    provider = open_provider("aws", options, "d1")
    matching = [f for f in found(provider, topic) if f.severity == severity and re.search(text, f.text)]
    assert matching, list(provider.check())
    assert cure is None or any(cure in (finding.cure or "") for finding in matching)


def test_a_zone_that_is_not_there_is_told_once(account: Account) -> None:
    told = [each for each in account.open(zones=["us-east-1z", "us-east-1a"]).check() if "us-east-1z" in each.text]
    assert [each.topic for each in told] == ["zone"]
    told = list(account.open(zones=["us-east-1z"]).check())
    assert [each.topic for each in told if each.severity is Severity.ERROR] == ["zone"]
    assert not any("us-east-1z" in each.text or "of EC2's choice" in each.text for each in told if each.topic != "zone")


def test_zones_that_cannot_be_asked_for_are_taken_for_there(account: Account) -> None:
    account.rig.fail("DescribeAvailabilityZones", "UnauthorizedOperation", times=10)
    findings = list(account.open(zones=["us-east-1a", "us-east-1z"], sshFrom=["203.0.113.7/32"]).check())
    told = {each.topic: each for each in findings if each.severity is Severity.WARNING}
    assert "not known whether the zones are there" in told["zone"].text
    assert "DescribeAvailabilityZones" in (told["zone"].cure or "")
    assert "no subnet in us-east-1z" in told["network"].text and "`subnets`" in (told["network"].cure or "")
    assert not [each for each in findings if each.severity is Severity.ERROR]


def test_an_id_is_told_once(account: Account) -> None:
    [image] = found(account.open(), "image")
    assert image.text.count(IMAGE) == 1


def test_the_smallest_permissions_are_enough(account: Account) -> None:
    """Those of the first statement in the document of this cloud; with group and key named, no others are needed."""
    document = (Path(__file__).parents[3] / "docs" / "clouds" / "ec2.md").read_text()
    policy = json.loads(document.partition("```json")[2].partition("```")[0])
    allowed = {action.removeprefix("ec2:") for action in policy["Statement"][0]["Action"]}
    account.rig.boto3().create_key_pair(KeyName="mine")
    account.rig.fail("*", "UnauthorizedOperation", times=10**6, when=lambda params: params.get("Action") not in allowed)
    named = {"securityGroups": ["default"], "keyPair": "mine"}
    findings = list(account.open(**named).check())
    assert {each.topic for each in findings if each.severity is Severity.WARNING} == {
        "credentials", "size", "quota", "price"
    }  # fmt: skip
    assert not [each for each in findings if each.severity is Severity.ERROR]
    for topic, missing in (("credentials", "DescribeAvailabilityZones"), ("size", "DescribeInstanceTypeOfferings")):
        [one] = [each for each in findings if each.topic == topic]
        assert one.text.startswith("not known ") and f"allow the action {missing}" in (one.cure or "")
    provider = account.open(**named)
    vm = provider.create(account.spec())
    assert [each.name for each in provider.list_owned()] == [vm.name]
    provider.destroy(vm.name, vm.provider_id)


@pytest.mark.parametrize("code", ["RequestLimitExceeded", "InternalError"])
@pytest.mark.parametrize("action", ["DescribeImages", "DescribeVpcs", "RunInstances"])
def test_a_question_that_is_not_answered_is_nothing_wrong(account: Account, action: str, code: str) -> None:
    provider = account.open()
    provider._api._retrying._limit = 0.1
    account.rig.fail(action, code, times=10**6)
    findings = list(provider.check())
    assert not [each for each in findings if each.severity is Severity.ERROR]
    [first, *_] = [each for each in findings if each.text.startswith("not known whether ")]
    assert code in first.text and (code == "InternalError" or "wait" in (first.cure or ""))


def test_without_credentials_nothing_else_is_asked(account: Account) -> None:
    account.rig.fail("DescribeAvailabilityZones", "AuthFailure")
    [finding] = account.open().check()
    assert (finding.topic, finding.severity) == ("credentials", Severity.ERROR)
    assert "accessKeyId" in (finding.cure or "")


def test_what_the_credentials_may_not_do(account: Account) -> None:
    account.rig.fail("RunInstances", "UnauthorizedOperation", when=lambda p: "InstanceMarketOptions.MarketType" in p)
    dedicated, spot = found(account.open(), "permission")
    assert dedicated.severity is Severity.OK
    assert spot.severity is Severity.ERROR and "allow the action" in (spot.cure or "")


def test_what_has_been_said_is_not_said_again(account: Account) -> None:
    for wrong in ({"subnet": "subnet-0123"}, {"size": "t99.huge"}, {"image": "ami-0123456789abcdef0"}):
        errors = [each for each in account.open(**wrong).check() if each.severity is Severity.ERROR]
        assert len(errors) == 1, errors
        assert "provider aws: " not in errors[0].text and errors[0].cure


def test_a_limit_of_nothing_is_an_error_and_an_unknown_one_a_warning(account: Account) -> None:
    account.rig.market.spot_vcpus = 0
    dedicated, spot = found(account.open(), "quota")
    assert (dedicated.severity, spot.severity) == (Severity.OK, Severity.ERROR)
    assert "L-34B43A08" in (spot.cure or "")
    account.rig.fail("GetServiceQuota", "AccessDeniedException", times=2)
    assert {finding.severity for finding in found(account.open(), "quota")} == {Severity.WARNING}


def test_one_failing_look_does_not_hide_the_others(account: Account) -> None:
    account.rig.fail("DescribeImages", "InternalError")
    topics = [finding.topic for finding in account.open(image=IMAGE).check()]
    assert topics[:3] == ["credentials", "image", "size"] and topics[-1] == "price"


@pytest.mark.parametrize(
    ("action", "code", "topic", "severity"),
    [
        ("DescribeAvailabilityZones", "UnauthorizedOperation", "credentials", "warning"),
        ("DescribeInstanceTypeOfferings", "UnauthorizedOperation", "size", "warning"),
        ("DescribeInstanceTypeOfferings", "InvalidAction", "size", "warning"),
        ("DescribeImages", "UnauthorizedOperation", "image", "error"),
    ],
)
def test_what_a_create_call_does_without_may_be_forbidden(
    account: Account, action: str, code: str, topic: str, severity: str
) -> None:
    account.rig.fail(action, code, times=10)
    findings = list(account.open().check())
    assert {each.topic: each.severity for each in findings if each.topic == topic} == {topic: severity}
    assert any(each.topic == "network" for each in findings), "the rest is looked at all the same"

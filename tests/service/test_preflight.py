"""The look that `ebbtide run` takes at the clouds before it makes anything."""

import json
import socket
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import paramiko
import pytest

from pools import MetadataItem, PoolSpec
from pools.spec import NetworkConfiguration
from providers import AuthError, Finding, InvalidRequestError, NotFoundError, Severity, ThrottledError, TransientError
from service import preflight
from service.offers import offer
from service.preflight import Doubt, Preflight
from service.provider_options import open_one
from tests.providers.clouds import class_of
from tests.rig import CloudRig

from .stage import PATIENCE

EVER = 10**6


@pytest.fixture(scope="module")
def account():
    with CloudRig(hosts=False) as rig:
        yield rig


@pytest.fixture(autouse=True)
def _patience(monkeypatch):
    monkeypatch.setattr(preflight, "LIMIT", PATIENCE)


@pytest.fixture
def rig(account):
    yield account
    account.clear_faults()


def pool(size="t3.small", name="p", **properties):
    return PoolSpec(id=name, vm_size=size, **properties)


def looked(pools, **providers):
    offers = {name: offer(open_one(name, options), options) for name, options in providers.items()}
    return Preflight(pools, "aws", offers, providers)


def doubts(pools, **aws):
    return looked(pools, aws=aws).doubts()


def of_subnet(subnet):
    return {"network_configuration": NetworkConfiguration(subnet_id=subnet)}


def of_image(image):
    return {"virtual_machine_configuration": {"imageReference": {"virtualMachineImageId": image}}}


NOWHERE = of_subnet("subnet-0123")
LITERAL = of_image("ami-0123456789abcdef0")


@pytest.mark.parametrize(
    ("asked", "settings", "told"),
    [
        (pool(), {"image": "ami-0123456789abcdef0"}, "does not know the image 'ami-0123456789abcdef0'"),
        (pool(**LITERAL), {}, "does not know the image 'ami-0123456789abcdef0'"),
        (pool("t99.huge"), {}, "t99.huge is not offered in us-east-1; name another size"),
        (pool("a"), {"sizes": {"a": ["t98.huge", "t99.huge"]}}, "t99.huge is not offered"),
        (pool(), {"image": "ami-0e0bb71de00000002"}, "t3.small runs x86_64 and not arm64"),
        (pool(), {"subnet": "subnet-0123"}, "The subnet ID 'subnet-0123' does not exist; name a subnet"),
        (pool(**NOWHERE), {}, "The subnet ID 'subnet-0123' does not exist; name a subnet"),
        (pool(**of_subnet("")), {}, "setting subnet is ''; it must be a text"),
        (pool(**NOWHERE), {"zones": ["us-east-1a", "us-east-1b"]}, "The subnet ID 'subnet-0123' does not exist"),
        (pool(), {"securityGroups": ["nobody"]}, "has no security group 'nobody'"),
        (pool(), {"zones": ["us-west-2a"]}, "us-east-1 has no zone us-west-2a; correct `zones`"),
    ],
)
def test_what_is_not_there_is_refused(rig, asked, settings, told):
    found = doubts([asked], **rig.settings(**settings))
    assert {doubt.refusal for doubt in found} == {InvalidRequestError}
    assert any(told in doubt.text for doubt in found), found
    assert all(doubt.text.startswith("pool p cannot get nodes from provider aws: ") for doubt in found)


def test_what_no_pool_names_is_not_looked_for(rig):
    settings = rig.settings(sizes={"big": ["t99.huge"]}, images={"own": "ami-0123456789abcdef0"})
    before = len(rig.calls)
    assert doubts([pool(), pool(name="q")], **settings) == []
    calls = [call.action for call in rig.calls[before:]]
    assert len(calls) <= 6 and all(action.startswith("Describe") for action in calls), calls


def test_a_name_of_the_settings_stands_for_its_image(rig):
    settings = rig.settings(image="own", images={"own": rig.settings()["image"]})
    assert doubts([pool()], **settings) == []


def test_one_of_the_sizes_that_a_name_stands_for_is_enough(rig):
    (doubt,) = doubts([pool("a"), pool("a", name="q")], **rig.settings(sizes={"a": ["t99.huge", "t3.small"]}))
    assert doubt.refusal is None
    assert doubt.text.startswith("pools p, q may get no nodes from provider aws: t99.huge is not offered")


@pytest.mark.parametrize(
    ("action", "code", "count"),
    [
        ("DescribeAvailabilityZones", "UnauthorizedOperation", 0),
        ("DescribeInstanceTypeOfferings", "UnauthorizedOperation", 0),
        ("DescribeInstanceTypeOfferings", "InvalidAction", 0),
        ("DescribeInstanceTypes", "UnauthorizedOperation", 0),
        ("DescribeImages", "UnauthorizedOperation", 1),
        ("DescribeVpcs", "UnauthorizedOperation", 1),
        ("DescribeImages", "InternalError", 0),
    ],
)
def test_what_cannot_be_looked_at_is_no_refusal(rig, action, code, count):
    rig.fail(action, code, times=EVER)
    found = doubts([pool()], **rig.settings())
    assert [doubt.refusal for doubt in found] == [None] * count, found


def test_the_smallest_permissions_are_enough(rig):
    """Those of the first statement in the document of this cloud."""
    document = (Path(__file__).parents[2] / "docs" / "clouds" / "ec2.md").read_text()
    policy = json.loads(document.partition("```json")[2].partition("```")[0])
    allowed = {action.removeprefix("ec2:") for action in policy["Statement"][0]["Action"]}
    rig.fail("*", "UnauthorizedOperation", times=EVER, when=lambda params: params.get("Action") not in allowed)
    settings = rig.settings(securityGroups=["default"], keyPair="mine", zones=["us-east-1a"])
    subnet = rig.boto3().describe_subnets()["Subnets"][0]["SubnetId"]
    assert doubts([pool(), pool(name="q", **of_subnet(subnet))], **settings) == []


def test_credentials_that_are_refused_everything_are(rig):
    rig.fail("*", "AuthFailure", times=EVER)
    (doubt,) = doubts([pool()], **rig.settings())
    assert doubt.refusal is AuthError and "check accessKeyId" in doubt.text


def test_nothing_listens_at_the_endpoint(rig):
    (doubt,) = doubts([pool()], **rig.settings(endpoint="http://127.0.0.1:9"))
    assert doubt.refusal is TransientError and "check `region` and `endpoint`" in doubt.text


@pytest.fixture
def silent():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(50)
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_an_endpoint_that_never_answers(rig, silent, monkeypatch):
    monkeypatch.setattr(preflight, "LIMIT", 0.5)
    started = time.monotonic()
    (doubt,) = doubts([pool()], **rig.settings(endpoint=silent))
    assert doubt.refusal is TransientError and "does not answer within 0.5 s; check its `endpoint`" in doubt.text
    assert time.monotonic() - started < 20


def test_what_was_heard_is_told_while_it_is_asked_again(rig, monkeypatch):
    asked_again, end = threading.Event(), threading.Event()

    class Cloud:
        times = 0

        def check(self):
            self.times += 1
            if self.times == 2:
                asked_again.set()
                end.wait(PATIENCE)
            yield Finding("provider", Severity.ERROR, "nobody there", error=TransientError("x"))

    options = rig.settings()
    offers = {"aws": offer(open_one("aws", options), options)}
    monkeypatch.setattr(preflight, "open_one", lambda name, options: Cloud())
    monkeypatch.setattr(preflight, "time", SimpleNamespace(monotonic=time.monotonic, sleep=lambda seconds: None))
    looked_at = Preflight([pool()], "aws", offers, {"aws": options})
    assert asked_again.wait(PATIENCE)
    looked_at._end = 0.0
    told = [doubt.text.partition(": ")[2] for doubt in looked_at.doubts()]
    end.set()
    assert told[0] == "nobody there" and len(told) == 2


GOOD = Finding("credentials", Severity.OK, "x")


@pytest.mark.parametrize(
    ("findings", "refusal"),
    [
        ([Finding("credentials", Severity.ERROR, "x", error=ThrottledError("x"))], None),
        ([GOOD, Finding("image", Severity.ERROR, "x", error=TransientError("x"))], None),
        ([GOOD, Finding("image", Severity.ERROR, "x", error=AuthError("x"))], None),
        ([GOOD, Finding("image", Severity.ERROR, "x", error=InvalidRequestError("x"))], InvalidRequestError),
        ([GOOD, Finding("size", Severity.ERROR, "x")], InvalidRequestError),
        ([GOOD, Finding("image", Severity.ERROR, "x", error=NotFoundError("x"))], InvalidRequestError),
    ],
)
def test_what_is_certain(rig, monkeypatch, findings, refusal):
    class Cloud:
        def check(self):
            yield from findings
            yield Finding("permission", Severity.OK, "")
            raise AssertionError("nobody asks on")

    options = rig.settings()
    offers = {"aws": offer(open_one("aws", options), options)}
    monkeypatch.setattr(preflight, "open_one", lambda name, options: Cloud())
    verb = "may get no" if refusal is None else "cannot get"
    text = f"pool p {verb} nodes from provider aws: x"
    assert Preflight([pool()], "aws", offers, {"aws": options}).doubts() == [Doubt(text, refusal)]


# -- the clouds behind HTTP APIs -------------------------------------------------------------------------------

SUBNETS = {"gce": "nodes", "azure": "nodes", "openstack": "private-net"}


@pytest.fixture(params=["gce", "azure", "openstack", "digitalocean"])
def cloud(request, tmp_path):
    cloud = class_of(request.param)(f"look{request.param}", tmp_path / "base", paramiko.ECDSAKey.generate())
    yield cloud
    cloud.close()


def asked(cloud, pools, **changes):
    options = {"driver": cloud.kind, **cloud.settings(), **changes}
    return looked(pools, aws=options).doubts()


def test_what_works_in_other_clouds_is_not_refused(cloud):
    own = {"image": "own", "images": {"own": cloud.image}, "size": None, "sizes": {"mine": ["gone", cloud.size]}}
    azures = cloud.size if cloud.kind == "azure" else "standard_a1"  # there they are what they are
    good = [pool(cloud.size), pool(azures, "q", **of_image(cloud.image))]
    if cloud.kind in SUBNETS:
        good.append(pool(cloud.size, "r", **of_subnet(SUBNETS[cloud.kind])))
    assert asked(cloud, good) == []
    assert asked(cloud, good[:1], **own) == []
    found = asked(cloud, [pool("mine")], **own)
    assert found and all(doubt.refusal is None and "gone" in doubt.text for doubt in found)
    assert {request.method for request in cloud.api.requests if "token" not in request.path} == {"GET"}


@pytest.mark.parametrize(
    "wrong", [{"size": "no-such"}, of_image("no-such"), of_subnet("no-such")], ids=["size", "image", "subnet"]
)
def test_what_other_clouds_do_not_have_is_refused(cloud, wrong):
    found = asked(cloud, [pool(**{"size": cloud.size, **wrong})])
    assert {doubt.refusal for doubt in found} == {InvalidRequestError}
    assert all("no-such" in doubt.text and "in the settings;" not in doubt.text for doubt in found)


def test_a_size_in_one_zone_of_google_is_enough(tmp_path):
    cloud: Any = class_of("gce")("lookzone", tmp_path / "base", paramiko.ECDSAKey.generate())
    try:
        cloud.api.fail("GET .*/europe-west1-b/machineTypes/", 404, cloud.api.refusal(404, "no"), times=9)
        assert {doubt.refusal for doubt in asked(cloud, [pool(cloud.size)])} <= {None}
        assert asked(cloud, [pool(cloud.size)], zones=["europe-west1-b"])[0].refusal is InvalidRequestError
    finally:
        cloud.close()


def test_who_may_not_be_asked_refuses_nothing(cloud):
    spared = "GET .*(/limits|/usages|/v2/account|/regions/[^/]+|/zones/[^/]+|/resourceGroups/[^/]+)$"
    cloud.api.fail(spared, 403, cloud.api.refusal(403, "no"), times=99)
    assert asked(cloud, [pool(cloud.size)]) == []
    cloud.api.heal()


def test_one_fault_of_a_cloud_is_none(rig):
    before = len(rig.calls)
    rig.fail("DescribeAvailabilityZones", "InternalError", times=2)
    assert doubts([pool()], **rig.settings()) == []
    assert [call.action for call in rig.calls[before:]].count("DescribeAvailabilityZones") == 3


def test_machines_here_are_not_asked():
    named = pool("local.small", metadata=(MetadataItem(name="provider", value="l"),))
    none = looked([named], l={"driver": "local", "baseDir": "/nowhere"})
    assert (none.needed, none.doubts()) == (False, [])

"""What clouds behind an HTTP API do to us: lost answers, throttling, limits, wrong secrets, silence."""

from __future__ import annotations

import base64
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import paramiko
import pytest

from providers import (
    AuthError,
    InvalidRequestError,
    ProviderError,
    QuotaError,
    ThrottledError,
    TransientError,
    VmState,
)

from .clouds.base import CloudUnderTest
from .conftest import opened
from .waiting import wait_until


@dataclass(frozen=True)
class Words:
    """How one cloud's API says it."""

    create: str  # the request that makes a VM
    listing: str  # one that lists
    delete: str
    wrong_secret: dict[str, Any]  # settings
    tells_wait: bool = True  # of Retry-After, as libcloud reads its answers


WORDS = {
    "digitalocean": Words(r"POST /v2/droplets\Z", r"GET /v2/droplets\Z", r"DELETE /v2/droplets/", {"token": "x"}),
    "openstack": Words(
        r"POST .*/servers\Z", r"GET .*/servers/detail\Z", r"DELETE .*/servers/", {"password": "not it"}
    ),
    "gce": Words(
        r"POST .*/instances\Z",
        r"GET .*/aggregated/instances\Z",
        r"DELETE .*/instances/",
        {},  # its key file: test_gce.py
        tells_wait=False,
    ),
    "azure": Words(
        r"PUT .*/virtualMachines/",
        r"GET .*/resourceGroups/.*/virtualMachines\Z",
        r"DELETE .*/virtualMachines/",
        {"clientSecret": "not it"},
    ),
}


@pytest.fixture(params=list(WORDS))
def cloud(request: pytest.FixtureRequest, tmp_path: Path, key: paramiko.PKey) -> Iterator[Any]:
    yield from opened(request.param, tmp_path, key)


def words(cloud: CloudUnderTest) -> Words:
    return WORDS[cloud.kind]


def test_a_lost_answer_of_create_leaves_one_vm(cloud: Any) -> None:
    cloud.api.fail(words(cloud).create, lose=True)
    vm = cloud.create()
    assert cloud.create().provider_id == vm.provider_id
    assert len(cloud.api.asked(words(cloud).create)) == 1
    cloud.boot()
    assert cloud.states() == {"n1": VmState.RUNNING}


def test_create_that_failed_on_the_way_is_asked_again(cloud: Any) -> None:
    cloud.api.fail(words(cloud).create, 503, cloud.api.refusal(503, "unavailable"))
    with pytest.raises(TransientError):
        cloud.create()
    cloud.create()
    cloud.boot()
    assert cloud.states() == {"n1": VmState.RUNNING}


def test_create_that_failed_in_silence_is_found_by_the_next_controller(cloud: Any) -> None:
    """The answer is lost, and so is the question whether the VM is there."""
    cloud.api.fail(words(cloud).create, lose=True)
    made = len(cloud.api.requests)
    cloud.api.fail("GET", 500, cloud.api.refusal(500, "no"), times=99, when=lambda _: _made(cloud, made))
    with pytest.raises(TransientError):
        cloud.create()
    cloud.api.heal()
    cloud.provider = cloud.reopen()
    assert list(cloud.states()) == ["n1"]
    cloud.provider.create(cloud.spec())
    assert len(cloud.api.asked(words(cloud).create)) == 1


def _made(cloud: Any, after: int) -> bool:
    return any(re.match(words(cloud).create, str(each)) for each in cloud.api.requests[after:])


def test_throttling_is_waited_out_if_it_is_short(cloud: Any) -> None:
    for pattern in (words(cloud).create, words(cloud).listing):
        cloud.api.fail(pattern, 429, cloud.api.refusal(429, "slow down"), times=2)
    cloud.create()
    cloud.boot()
    assert cloud.states() == {"n1": VmState.RUNNING}


def test_throttling_that_lasts_is_told_with_the_time_to_wait(cloud: Any) -> None:
    headers = {"Retry-After": "60"}
    fault = cloud.api.fail("GET|POST|PUT", 429, cloud.api.refusal(429, "slow down"), times=10_000, headers=headers)
    if not words(cloud).tells_wait:
        cloud.provider._retrying._limit = 0.5
    with pytest.raises(ThrottledError) as caught:
        cloud.provider.list_owned()
    assert caught.value.retry_after == (60.0 if words(cloud).tells_wait else None)
    fault.left = 0
    cloud.provider = cloud.reopen()


def test_the_clouds_own_limit_is_a_quota_error(cloud: Any) -> None:
    setattr(cloud.api, "limit" if cloud.kind == "digitalocean" else "quota", 1)
    cloud.create("n1")
    with pytest.raises(QuotaError) as caught:
        cloud.create("n2")
    assert "ask" in str(caught.value)
    assert list(cloud.states()) == ["n1"]


@pytest.mark.parametrize("cloud", [kind for kind in WORDS if WORDS[kind].wrong_secret], indirect=True)
def test_wrong_credentials_are_told_as_such(cloud: Any) -> None:
    provider = cloud.reopen(**words(cloud).wrong_secret)
    with pytest.raises(AuthError):
        provider.list_owned()
    [finding] = list(provider.check())
    assert finding.severity == "error"


def test_silence_ends_with_the_time_out(cloud: Any) -> None:
    provider = cloud.reopen(timeout=1)
    provider.list_owned()
    over = threading.Event()
    cloud.api.fail(words(cloud).listing, when=lambda request: over.wait(60), lose=True)
    began = time.monotonic()
    with pytest.raises(TransientError):
        provider.list_owned()
    assert time.monotonic() - began < 30
    over.set()


def test_many_threads_share_one_driver(cloud: Any) -> None:
    nodes = [f"n{number:02}" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        vms = list(pool.map(cloud.create, nodes))
    assert [vm.name for vm in vms] == [f"{cloud.deployment}-{node}" for node in nodes]
    cloud.boot()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: cloud.states(), range(8)))
    assert all(states == dict.fromkeys(nodes, VmState.RUNNING) for states in found)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda vm: cloud.provider.destroy(vm.name, vm.provider_id), vms))
    assert cloud.left() == []


def test_every_page_of_a_list_is_read(cloud: Any) -> None:
    cloud.api.page = 2
    for number in range(5):
        cloud.create(f"n{number}")
    cloud.boot()
    assert len(cloud.states()) == 5


def test_a_destroy_whose_answer_is_lost_is_asked_again(cloud: Any) -> None:
    vm = cloud.create()
    cloud.boot()
    cloud.api.fail(words(cloud).delete, lose=True)
    with pytest.raises(TransientError):
        cloud.provider.destroy(vm.name, vm.provider_id)
    cloud.provider.destroy(vm.name, vm.provider_id)
    assert cloud.left() == []


def killed_after(cloud: Any, requests: int, action: Any) -> bool:
    """Did it need no more than these? (How many it needs differs: some ask until a thing is there.)"""
    before = len(cloud.api.requests)
    cloud.api.crash_after(requests)
    try:
        action()
    except ProviderError:
        assert len(cloud.api.requests) > before + requests
        return False
    finally:
        cloud.api.heal()
    assert len(cloud.api.requests) <= before + requests
    return True


@pytest.mark.parametrize("then", ["create", "destroy"])
def test_a_controller_that_is_killed_anywhere_in_create_leaves_at_most_that_one_vm(cloud: Any, then: str) -> None:
    for step in count():
        spec = cloud.spec(f"n{step}")
        doomed = cloud.reopen()
        ended = killed_after(cloud, step, partial(doomed.create, spec))
        cloud.provider = cloud.reopen()
        if then == "create":
            cloud.provider.create(spec)
            assert [vm.name for vm in cloud.provider.list_owned() if vm.name == spec.name] == [spec.name]
        cloud.provider.destroy(spec.name)
        if ended:
            break
    assert step >= 1
    assert cloud.left() == []
    wait_until(lambda: cloud.inventory() == [])


def test_a_controller_that_is_killed_anywhere_in_destroy_leaves_nothing_after_the_next(cloud: Any) -> None:
    for step in count():
        vm = cloud.create(f"n{step}")
        cloud.boot()
        doomed = cloud.reopen()
        ended = killed_after(cloud, step, partial(doomed.destroy, vm.name, vm.provider_id))
        cloud.provider = cloud.reopen()
        cloud.provider.destroy(vm.name, vm.provider_id)
        if ended:
            break
    assert step >= 1
    assert cloud.left() == []
    wait_until(lambda: cloud.inventory() == [])


def test_user_data_holds_the_pinned_key_and_the_users_script(cloud: Any) -> None:
    vm = cloud.create(user_data="#!/bin/sh\necho of the user\n")
    script = _script(cloud)
    assert script.startswith("#!/bin/sh\n")
    assert cloud.host_keys(cloud.deployment).private(vm.name).strip() in script
    assert f"{cloud.key.get_name()} {cloud.key.get_base64()}" in script


def _script(cloud: Any) -> str:
    if cloud.kind == "digitalocean":
        [droplet] = cloud.api.droplets.values()
        return droplet["user_data"]
    if cloud.kind == "openstack":
        [server] = cloud.api.servers.values()
        return base64.b64decode(server["asked"]["user_data"]).decode()
    if cloud.kind == "gce":
        [instance] = cloud.api.instances.values()
        return next(item["value"] for item in instance["metadata"]["items"] if item["key"] == "startup-script")
    [vm] = cloud.api.kind("virtualMachines")
    return base64.b64decode(vm["properties"]["osProfile"]["customData"]).decode()


def test_a_size_of_the_settings_stands_for_several_and_the_price_is_told(cloud: Any) -> None:
    provider = cloud.reopen(sizes={"standard_d2s_v3": [cloud.size, "another"]}, prices={cloud.size: 0.25})
    placements = provider.profile().placements("standard_d2s_v3")
    assert {placement.size for placement in placements} == {cloud.size, "another"}
    assert provider.create(cloud.spec(low_priority=False)).price_per_hour == 0.25


def test_another_name_than_the_cloud_allows_is_carried_beside(cloud: Any) -> None:
    name = f"{cloud.deployment}-A_node.With.Much-{'x' * 60}"
    cloud.provider.create(cloud.spec(name=name))
    cloud.boot()
    assert [vm.name for vm in cloud.provider.list_owned()] == [name]
    assert cloud.provider.create(cloud.spec(name=name)).name == name
    assert len(cloud.api.asked(words(cloud).create)) == 1
    cloud.provider.destroy(name)
    wait_until(lambda: cloud.provider.list_owned() == [])


@pytest.mark.parametrize("wrong", [{"sshAddress": "inside"}, {"sizes": {"a": []}}, {"zones": 3}, {"timeout": 0}])
def test_wrong_settings_are_refused(cloud: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError, match=next(iter(wrong))):
        cloud.reopen(**wrong)

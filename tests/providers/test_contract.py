"""What every provider keeps. A new kind joins by its module in `clouds`."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from providers import InvalidRequestError, NotFoundError, QuotaError, VmState

from .clouds.base import CloudUnderTest
from .waiting import wait_until


def plain(tags: dict[str, str]) -> dict[str, str]:
    """Without those by which a cloud knows what is ours."""
    return {key: value for key, value in tags.items() if not key.startswith("ebbtide-") and key != "Name"}


def test_a_vm_is_created_runs_and_is_gone(cloud: CloudUnderTest) -> None:
    assert cloud.provider.list_owned() == []
    created = cloud.create(tags=cloud.tags)
    assert created.state in (VmState.PENDING, VmState.RUNNING)
    cloud.boot()
    [vm] = cloud.provider.list_owned()
    assert (vm.name, vm.state, vm.low_priority) == (f"{cloud.deployment}-n1", VmState.RUNNING, cloud.low_priority)
    assert vm.provider_id == created.provider_id
    assert cloud.created_now(vm.created)
    assert vm.address and vm.port and vm.user and vm.node_root.startswith("/") and vm.reason is None
    assert vm.host_key is not None and vm.host_key.startswith("ssh-ed25519 AAAA")
    if cloud.pinned:
        assert vm.host_key == cloud.host_keys(cloud.deployment).public(vm.name)
    assert plain(dict(vm.tags)) == cloud.tags
    cloud.provider.destroy(vm.name)
    assert cloud.left() == []


def test_nothing_is_left_to_sweep_and_vms_are_not_swept(cloud: CloudUnderTest) -> None:
    vm = cloud.create()
    cloud.boot()
    assert cloud.provider.sweep(dry=True) == cloud.provider.sweep() == []
    assert cloud.living() == ["n1"]
    cloud.provider.destroy(vm.name)
    assert cloud.provider.sweep(dry=True) == cloud.provider.sweep() == []


def test_a_listing_changes_nothing_and_a_sweep_does_what_there_is_to_do(cloud: CloudUnderTest) -> None:
    vms = [cloud.create("n1"), cloud.create("n2")]
    cloud.boot()
    odd = cloud.disturb(vms[0].name)
    before = cloud.kept()
    for provider in (cloud.reopen(), cloud.provider) if cloud.survives else (cloud.provider,):
        for _ in range(3):
            listed = provider.list_owned()
            assert [vm.provider_id for vm in listed] == [vm.provider_id for vm in vms]
            found = provider.sweep(dry=True)
            assert bool(found) == odd and (not odd or vms[0].name in found[0])
    assert cloud.kept() == before
    assert cloud.provider.sweep() == found
    assert (cloud.kept() != before) == odd
    wait_until(lambda: cloud.states() and cloud.provider.sweep() == [], pause=0.02)
    assert cloud.states() == {"n1": VmState.RUNNING, "n2": VmState.RUNNING}


def test_create_is_idempotent_by_name(cloud: CloudUnderTest) -> None:
    first = cloud.create()
    cloud.boot()
    second = cloud.create()
    assert (second.provider_id, second.created) == (first.provider_id, first.created)
    assert len(cloud.provider.list_owned()) == 1


def test_racing_creates_make_one_vm(cloud: CloudUnderTest) -> None:
    with ThreadPoolExecutor(8) as pool:
        vms = list(pool.map(lambda _: cloud.create(), range(8)))
    assert len({vm.provider_id for vm in vms}) == 1
    cloud.boot()
    assert cloud.states() == {"n1": VmState.RUNNING}


def test_destroy_is_idempotent(cloud: CloudUnderTest) -> None:
    vm = cloud.create()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(cloud.provider.destroy, [vm.name] * 4))
    cloud.provider.destroy(vm.name)
    cloud.provider.destroy(f"{cloud.deployment}-never")
    assert cloud.left() == []


def test_destroy_by_the_clouds_own_id_ends_that_one(cloud: CloudUnderTest) -> None:
    first, second = cloud.create("n1"), cloud.create("n2")
    cloud.boot()
    cloud.provider.destroy(first.name, first.provider_id)
    assert cloud.living() == ["n2"]
    cloud.provider.destroy(first.name, first.provider_id)  # the id of one that is gone is no error
    cloud.provider.destroy(second.name, second.provider_id)
    assert cloud.left() == []


def test_vms_are_listed_by_name_and_destroyed_one_by_one(cloud: CloudUnderTest) -> None:
    for node in ("n3", "n1", "n2"):
        cloud.create(node, low_priority=cloud.low_priority and node == "n1")
    cloud.boot()
    vms = cloud.provider.list_owned()
    assert [vm.name[-2:] for vm in vms] == ["n1", "n2", "n3"]
    assert [vm.low_priority for vm in vms] == [cloud.low_priority, False, False]
    assert len({(vm.address, vm.port) for vm in vms}) == 3
    assert len({vm.provider_id for vm in vms}) == 3
    cloud.provider.destroy(vms[1].name)
    assert cloud.living() == ["n1", "n3"]


def test_a_preempted_vm_says_so_until_it_is_destroyed(cloud: CloudUnderTest) -> None:
    if not cloud.preempts:
        pytest.skip(f"{cloud.kind} has no preemption")
    vm = cloud.create()
    cloud.boot()
    cloud.preempt(vm.name)
    if cloud.provider.capabilities().preempt:
        cloud.provider.preempt(vm.name)
    wait_until(lambda: cloud.states() == {"n1": VmState.PREEMPTED}, pause=0.02)
    assert cloud.one(vm.name).reason
    assert cloud.create().state is VmState.PREEMPTED  # a name lives once
    cloud.provider.destroy(vm.name)
    assert cloud.left() == []


def test_only_an_existing_low_priority_vm_can_be_preempted(cloud: CloudUnderTest) -> None:
    vm = cloud.create(low_priority=False)
    can = cloud.provider.capabilities().preempt
    with pytest.raises(InvalidRequestError, match="dedicated" if can else "cannot preempt"):
        cloud.provider.preempt(vm.name)
    with pytest.raises(NotFoundError if can else InvalidRequestError, match="no VM" if can else "cannot preempt"):
        cloud.provider.preempt(f"{cloud.deployment}-n9")
    cloud.boot()
    assert cloud.states() == {"n1": VmState.RUNNING}


def test_the_quota_counts_living_vms(cloud: CloudUnderTest) -> None:
    if not cloud.quota:
        pytest.skip(f"{cloud.kind} has no setting maxVms")
    cloud.provider = cloud.reopen(maxVms=2)
    assert cloud.provider.capabilities().max_vms == 2
    first = cloud.create("n1")
    cloud.create("n2")
    with pytest.raises(QuotaError, match="maxVms is 2") as caught:
        cloud.create("n3")
    assert caught.value.retryable
    assert cloud.create("n2").name.endswith("n2")  # one that exists is no new one
    if cloud.provider.capabilities().preempt:
        cloud.provider.preempt(first.name)
    else:
        cloud.provider.destroy(first.name)
    cloud.create("n3")
    assert {"n2", "n3"} <= set(cloud.states()) <= {"n1", "n2", "n3"}
    assert cloud.living() == ["n2", "n3"]


def test_racing_creates_keep_the_quota(cloud: CloudUnderTest) -> None:
    if not cloud.quota:
        pytest.skip(f"{cloud.kind} has no setting maxVms")
    cloud.provider = cloud.reopen(maxVms=2)

    def attempt(number: int) -> bool:
        try:
            cloud.create(f"n{number}")
        except QuotaError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(attempt, range(6))) == 2
    assert len(cloud.provider.list_owned()) == 2


def test_sizes_and_images_are_offered_and_no_others_taken(cloud: CloudUnderTest) -> None:
    sizes = cloud.provider.sizes()
    names = {size.name for size in sizes}
    assert cloud.size in names
    assert cloud.sizes is None or names == cloud.sizes
    assert all(size.cpus > 0 and size.memory_mib > 0 for size in sizes)
    for price in [each for size in sizes for each in (size.price_per_hour, size.low_priority_price_per_hour)]:
        assert price is None or price >= 0
    assert not cloud.priced or all(size.price_per_hour is not None for size in sizes)
    with pytest.raises(InvalidRequestError, match=cloud.refused_size) as caught:
        cloud.create(size="standard_a1")
    assert not caught.value.retryable
    with pytest.raises(InvalidRequestError, match=cloud.refused_image):
        cloud.create(image="windows")
    assert cloud.provider.list_owned() == []


def test_what_a_provider_says_it_cannot_do_is_refused(cloud: CloudUnderTest) -> None:
    can = cloud.provider.capabilities()
    assert can.low_priority == cloud.low_priority
    if not can.low_priority:
        with pytest.raises(InvalidRequestError, match="no low-priority VMs"):
            cloud.provider.create(replace(cloud.spec(), low_priority=True))
    if not can.user_data:
        with pytest.raises(InvalidRequestError, match="user data"):
            cloud.create(user_data="#!/bin/sh\n")
    assert cloud.provider.list_owned() == []


def test_a_vm_size_stands_for_at_least_one_placement(cloud: CloudUnderTest) -> None:
    profile = cloud.provider.profile()
    first = profile.placements(cloud.size)[0]
    assert first.size == cloud.size or cloud.size in profile.sizes
    assert profile.placements("standard_d2s_v3")
    assert profile.boot_timeout is None or profile.boot_timeout > 0
    assert profile.notices in (None, "ec2", "gce", "azure")
    assert cloud.reopen().profile() == profile  # of the settings alone


def test_a_check_finds_something_and_creates_nothing(cloud: CloudUnderTest) -> None:
    before = cloud.inventory()
    findings = list(cloud.provider.check())
    assert findings and all(finding.topic and finding.text for finding in findings)
    assert [finding for finding in findings if finding.severity == "error"] == []
    assert cloud.inventory() == before
    assert cloud.provider.list_owned() == []


def test_the_console_of_nobody_tells_nothing(cloud: CloudUnderTest) -> None:
    assert cloud.provider.console(f"{cloud.deployment}-never") is None
    vm = cloud.create()
    cloud.boot()
    said = cloud.provider.console(vm.name)
    assert said is None or cloud.provider.capabilities().console


def test_two_deployments_on_one_cloud_do_not_touch_each_other(cloud: CloudUnderTest) -> None:
    stranger = cloud.open(f"{cloud.deployment}b")  # a name that begins like ours
    ours = cloud.create("n1")
    theirs = replace(cloud.spec("n1"), name=f"{cloud.deployment}b-n1", deployment=f"{cloud.deployment}b")
    try:
        stranger.create(theirs)
        cloud.boot()
        assert [vm.name for vm in cloud.provider.list_owned()] == [ours.name]
        assert [vm.name for vm in stranger.list_owned()] == [theirs.name]
        with pytest.raises(InvalidRequestError, match="VM name"):
            stranger.destroy(ours.name)
        with pytest.raises(InvalidRequestError, match="VM name"):
            stranger.console(ours.name)
        with pytest.raises(InvalidRequestError):
            stranger.create(cloud.spec("n1"))
        stranger.destroy(f"{cloud.deployment}b-never")
        assert cloud.states() == {"n1": VmState.RUNNING}
    finally:
        stranger.destroy(theirs.name)
    assert cloud.states() == {"n1": VmState.RUNNING}
    cloud.provider.destroy(ours.name)
    wait_until(lambda: stranger.list_owned() == [], pause=0.02)


def test_a_new_controller_finds_what_the_last_one_made(cloud: CloudUnderTest) -> None:
    if not cloud.survives:
        pytest.skip(f"{cloud.kind} VMs end with the controller")
    for node in ("n1", "n2"):
        cloud.create(node, tags=cloud.tags)
    cloud.boot()
    before = cloud.provider.list_owned()
    cloud.provider = cloud.reopen()
    cloud.boot()
    assert cloud.provider.list_owned() == before
    cloud.provider.destroy(before[0].name)
    cloud.provider = cloud.reopen()
    assert cloud.living() == ["n2"]
    assert cloud.create("n2").provider_id == before[1].provider_id


@pytest.mark.parametrize(
    "name", ["", "{d}-../x", "{d}-a/b", "-{d}", ".{d}-x", "{d}-ü", "{d}-" + "x" * 128, "{d}-a\n", "other-n1"]
)
def test_a_name_that_could_do_harm_is_refused(cloud: CloudUnderTest, name: str) -> None:
    name = name.format(d=cloud.deployment)
    with pytest.raises(InvalidRequestError, match="VM name"):
        cloud.create(name=name)
    with pytest.raises(InvalidRequestError, match="VM name"):
        cloud.provider.destroy(name)
    assert cloud.provider.list_owned() == []


def test_another_deployments_vm_is_refused(cloud: CloudUnderTest) -> None:
    with pytest.raises(InvalidRequestError, match="this provider serves"):
        cloud.provider.create(replace(cloud.spec(), deployment="other"))


def test_prices_come_from_the_settings(cloud: CloudUnderTest) -> None:
    low = {"lowPriorityPrices": {cloud.size: 0.1}} if cloud.low_priority else {}
    provider = cloud.reopen(prices={cloud.size: 0.5}, **low)
    size = next(each for each in provider.sizes() if each.name == cloud.size)
    assert size.price_per_hour == 0.5
    assert size.low_priority_price_per_hour == (0.1 if cloud.low_priority else None)


def test_unknown_settings_are_refused_and_the_known_are_named(cloud: CloudUnderTest) -> None:
    with pytest.raises(InvalidRequestError, match=r"unknown setting flavour; it knows .*\bprices\b"):
        cloud.reopen(flavour="large")

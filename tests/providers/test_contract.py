"""What every provider keeps. A new one joins by being named in the `cloud` fixture."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from providers import InvalidRequestError, NotFoundError, QuotaError, VmState

from .conftest import Cloud


def test_a_vm_is_created_runs_and_is_gone(cloud: Cloud) -> None:
    assert cloud.provider.list_owned() == []
    created = cloud.create(tags={"pool": "mainPool", "owner": "ebbtide"})
    assert created.state in (VmState.PENDING, VmState.RUNNING)
    cloud.boot()
    [vm] = cloud.provider.list_owned()
    assert (vm.name, vm.state, vm.low_priority) == (f"{cloud.deployment}-n1", VmState.RUNNING, True)
    assert vm.created == 1_000_000.0
    assert vm.address and vm.port and vm.user and vm.node_root.startswith("/") and vm.reason is None
    assert vm.host_key is not None and vm.host_key.startswith("ssh-ed25519 AAAA")
    assert vm.tags == {"pool": "mainPool", "owner": "ebbtide"}
    cloud.provider.destroy(vm.name)
    assert cloud.provider.list_owned() == []


def test_create_is_idempotent_by_name(cloud: Cloud) -> None:
    first = cloud.create()
    cloud.boot()
    second = cloud.create()
    assert (second.provider_id, second.created) == (first.provider_id, first.created)
    assert len(cloud.provider.list_owned()) == 1


def test_racing_creates_make_one_vm(cloud: Cloud) -> None:
    with ThreadPoolExecutor(8) as pool:
        vms = list(pool.map(lambda _: cloud.create(), range(8)))
    assert len({vm.provider_id for vm in vms}) == 1
    cloud.boot()
    assert cloud.states() == {"n1": VmState.RUNNING}


def test_destroy_is_idempotent(cloud: Cloud) -> None:
    vm = cloud.create()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(cloud.provider.destroy, [vm.name] * 4))
    cloud.provider.destroy(vm.name)
    cloud.provider.destroy(f"{cloud.deployment}-never")
    assert cloud.provider.list_owned() == []


def test_vms_are_listed_by_name_and_destroyed_one_by_one(cloud: Cloud) -> None:
    for node in ("n3", "n1", "n2"):
        cloud.create(node, low_priority=node == "n1")
    cloud.boot()
    vms = cloud.provider.list_owned()
    assert [vm.name[-2:] for vm in vms] == ["n1", "n2", "n3"]
    assert [vm.low_priority for vm in vms] == [True, False, False]
    assert len({(vm.address, vm.port) for vm in vms}) == 3
    cloud.provider.destroy(vms[1].name)
    assert cloud.states() == {"n1": VmState.RUNNING, "n3": VmState.RUNNING}


def test_a_preempted_vm_says_so_until_it_is_destroyed(cloud: Cloud) -> None:
    vm = cloud.create()
    cloud.boot()
    cloud.provider.preempt(vm.name)
    cloud.provider.preempt(vm.name)
    [gone] = cloud.provider.list_owned()
    assert gone.state is VmState.PREEMPTED and gone.reason
    assert cloud.create().state is VmState.PREEMPTED  # a name lives once
    cloud.provider.destroy(vm.name)
    assert cloud.provider.list_owned() == []


def test_only_an_existing_low_priority_vm_can_be_preempted(cloud: Cloud) -> None:
    vm = cloud.create(low_priority=False)
    with pytest.raises(InvalidRequestError, match="dedicated"):
        cloud.provider.preempt(vm.name)
    with pytest.raises(NotFoundError, match="no VM"):
        cloud.provider.preempt(f"{cloud.deployment}-n9")
    cloud.boot()
    assert cloud.states() == {"n1": VmState.RUNNING}


def test_the_quota_counts_living_vms(cloud: Cloud) -> None:
    cloud.provider = cloud.reopen(maxVms=2)
    assert cloud.provider.capabilities().max_vms == 2
    first = cloud.create("n1")
    cloud.create("n2")
    with pytest.raises(QuotaError, match="maxVms is 2") as caught:
        cloud.create("n3")
    assert caught.value.retryable
    assert cloud.create("n2").name.endswith("n2")  # one that exists is no new one
    cloud.provider.preempt(first.name)
    cloud.create("n3")
    assert set(cloud.states()) == {"n1", "n2", "n3"}


def test_racing_creates_keep_the_quota(cloud: Cloud) -> None:
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


def test_sizes_and_images_are_offered_and_no_others_taken(cloud: Cloud) -> None:
    names = {size.name for size in cloud.provider.sizes()}
    assert names == {f"{cloud.kind}.{size}" for size in ("small", "medium", "large")}
    assert all(
        size.cpus > 0 and size.memory_mib > 0 and size.price_per_hour is not None for size in cloud.provider.sizes()
    )
    with pytest.raises(InvalidRequestError, match=r"vmSize 'standard_a1'; it knows .*medium, .*small") as caught:
        cloud.create(size="standard_a1")
    assert not caught.value.retryable
    with pytest.raises(InvalidRequestError, match="image 'windows'; it knows"):
        cloud.create(image="windows")
    assert cloud.provider.list_owned() == []


@pytest.mark.parametrize(
    "name", ["", "{d}-../x", "{d}-a/b", "-{d}", ".{d}-x", "{d}-ü", "{d}-" + "x" * 128, "{d}-a\n", "other-n1"]
)
def test_a_name_that_could_do_harm_is_refused(cloud: Cloud, name: str) -> None:
    name = name.format(d=cloud.deployment)
    with pytest.raises(InvalidRequestError, match="VM name"):
        cloud.create(name=name)
    with pytest.raises(InvalidRequestError, match="VM name"):
        cloud.provider.destroy(name)
    assert cloud.provider.list_owned() == []


def test_another_deployments_vm_is_refused(cloud: Cloud) -> None:
    with pytest.raises(InvalidRequestError, match="this provider serves"):
        cloud.provider.create(replace(cloud.spec(), deployment="other"))


def test_prices_come_from_the_settings(cloud: Cloud) -> None:
    size = f"{cloud.kind}.small"
    provider = cloud.reopen(prices={size: 0.5}, lowPriorityPrices={size: 0.1})
    small = next(each for each in provider.sizes() if each.name == size)
    assert (small.price_per_hour, small.low_priority_price_per_hour) == (0.5, 0.1)

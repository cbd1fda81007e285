"""What only Azure is like: a VM is a chain of things, made one by one; nothing of it may be left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import paramiko
import pytest

from providers import AuthError, CapacityError, InvalidRequestError, QuotaError, TransientError, VmState
from providers.azure.driver import VirtualMachines

from .clouds.azure import AzureCloud
from .conftest import opened
from .waiting import wait_until

CHAIN = [r"PUT .*/publicIPAddresses/", r"PUT .*/networkInterfaces/", r"PUT .*/virtualMachines/"]


@pytest.fixture
def cloud(tmp_path: Path, key: paramiko.PKey) -> Iterator[AzureCloud]:
    yield from cast(Iterator[AzureCloud], opened("azure", tmp_path, key))


def machine(cloud: AzureCloud) -> dict[str, Any]:
    [found] = cloud.api.kind("virtualMachines")
    return found


@pytest.mark.parametrize("link", CHAIN)
def test_a_refusal_anywhere_in_the_chain_leaves_nothing(cloud: AzureCloud, link: str) -> None:
    body = cloud.api.refusal(409, "exceeding approved quota", "OperationNotAllowed")
    cloud.api.fail(link, 409, body)
    with pytest.raises(QuotaError):
        cloud.create()
    wait_until(lambda: cloud.inventory() == [])
    assert cloud.provider.list_owned() == []


@pytest.mark.parametrize("link", CHAIN)
@pytest.mark.parametrize("executed", [True, False])
def test_after_a_break_anywhere_the_same_create_goes_on(cloud: AzureCloud, link: str, executed: bool) -> None:
    cloud.api.fail(link, 500, cloud.api.refusal(500, "no", "InternalServerError"), lose=executed)
    try:
        cloud.create()
    except TransientError:
        cloud.create()
    cloud.boot()
    assert cloud.states() == {"n1": VmState.RUNNING}
    assert len(cloud.inventory()) == 4


@pytest.mark.parametrize("link", CHAIN[1:])
def test_after_a_crash_in_the_chain_what_is_left_is_listed_and_destroyed(cloud: AzureCloud, link: str) -> None:
    cloud.api.fail(link, 500, cloud.api.refusal(500, "no", "InternalServerError"))
    with pytest.raises(TransientError):
        cloud.create()
    assert cloud.inventory() != []
    cloud.provider = cloud.reopen()
    [vm] = cloud.provider.list_owned()
    assert (vm.name, vm.state) == (cloud.spec().name, VmState.TERMINATED)
    assert vm.reason is not None and "left" in vm.reason
    cloud.provider.destroy(vm.name)
    assert cloud.inventory() == []


def test_a_vm_that_finds_no_room_after_it_was_accepted_is_a_capacity_error(cloud: AzureCloud) -> None:
    cloud.api.fails_with = "AllocationFailed"
    with pytest.raises(CapacityError, match="sufficient capacity"):
        cloud.create()
    wait_until(lambda: cloud.inventory() == [])


def test_a_disk_that_stays_behind_is_listed_and_destroyed(cloud: AzureCloud) -> None:
    vm = cloud.create()
    cloud.boot()
    cloud.api.keeps_disks = True
    cloud.provider.destroy(vm.name, vm.provider_id)
    wait_until(lambda: len(cloud.inventory()) == 1)
    [left] = cloud.provider.list_owned()
    assert left.name == vm.name and left.state is VmState.TERMINATED
    cloud.provider.destroy(left.name, left.provider_id)
    assert cloud.inventory() == []


def test_while_it_is_created_nothing_half_made_is_listed(cloud: AzureCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    put = VirtualMachines.ex_put

    def listed_before(driver: VirtualMachines, *arguments: Any) -> Any:
        seen.append(cloud.provider.list_owned())
        return put(driver, *arguments)

    monkeypatch.setattr(VirtualMachines, "ex_put", listed_before)
    cloud.create()
    assert seen == [[], [], []]


def test_a_spot_vm_is_asked_for_as_one(cloud: AzureCloud) -> None:
    cloud.create("n1", max_price=0.05)
    properties = machine(cloud)["properties"]
    assert (properties["priority"], properties["evictionPolicy"]) == ("Spot", "Deallocate")
    assert properties["billingProfile"] == {"maxPrice": 0.05}
    cloud.provider.destroy(cloud.spec().name)
    wait_until(lambda: cloud.inventory() == [])
    cloud.provider.create(cloud.spec("n2"))
    assert machine(cloud)["properties"]["billingProfile"] == {"maxPrice": -1}


@pytest.mark.parametrize("power", ["stopped", "deallocated"])
def test_a_dedicated_one_that_stopped_is_over(cloud: AzureCloud, power: str) -> None:
    cloud.create(low_priority=False)
    cloud.boot()
    machine(cloud)["power"] = power
    [vm] = cloud.provider.list_owned()
    assert vm.state is VmState.TERMINATED and vm.reason is not None and "still costs" in vm.reason


def test_a_spot_vm_that_powered_itself_off_was_not_preempted(cloud: AzureCloud) -> None:
    cloud.create()
    cloud.boot()
    machine(cloud)["power"] = "stopped"
    assert cloud.states() == {"n1": VmState.TERMINATED}


def test_a_strangers_vm_of_the_same_name_is_not_touched(cloud: AzureCloud) -> None:
    vm = cloud.create()
    ours = machine(cloud)["tags"]
    machine(cloud)["tags"] = {"ebbtide-deployment": "other"}
    cloud.provider.destroy(vm.name, vm.provider_id)
    assert machine(cloud)["gone"] is None
    with pytest.raises(InvalidRequestError, match="is not ours"):
        cloud.create()
    machine(cloud)["tags"] = ours


def test_a_vm_gets_everything_that_was_asked_for(cloud: AzureCloud) -> None:
    provider = cloud.reopen(securityGroups=["ssh-only"], sshAddress="private", diskSize=64, sshUser="admin_of_it")
    vm = provider.create(cloud.spec(zone="2", subnet="other"))
    made = machine(cloud)
    [nic] = cloud.api.kind("networkInterfaces")
    assert made["zones"] == ["2"] and vm.zone == "2"
    assert made["properties"]["storageProfile"]["osDisk"]["diskSizeGB"] == 64
    assert made["properties"]["osProfile"]["adminUsername"] == "admin_of_it" == vm.user
    assert made["properties"]["storageProfile"]["imageReference"]["sku"] == "12-gen2"
    assert nic["properties"]["networkSecurityGroup"]["id"].endswith("/networkSecurityGroups/ssh-only")
    [configuration] = nic["properties"]["ipConfigurations"]
    assert configuration["properties"]["subnet"]["id"].endswith("/subnets/other")
    assert cloud.api.kind("publicIPAddresses") == []
    assert (vm.address or "").startswith("10.5.0.")


def test_a_pool_may_name_a_subnet_by_its_whole_id(cloud: AzureCloud) -> None:
    subnet = f"/subscriptions/x/resourceGroups/y/providers/Microsoft.Network/virtualNetworks/{'nodes-net'}/subnets/z"
    cloud.create(subnet=subnet)
    [nic] = cloud.api.kind("networkInterfaces")
    assert nic["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"] == subnet


def test_prices_are_libclouds_and_none_for_spot(cloud: AzureCloud) -> None:
    assert cloud.create("n1", low_priority=False).price_per_hour == pytest.approx(0.048, rel=0.2)
    assert cloud.create("n2").price_per_hour is None


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (409, "SkuNotAvailable", CapacityError),
        (409, "ZonalAllocationFailed", CapacityError),
        (409, "QuotaExceeded", QuotaError),
        (403, "AuthorizationFailed", AuthError),
        (409, "AnotherOperationInProgress", TransientError),
        (400, "InvalidParameter", InvalidRequestError),
    ],
)
def test_errors_have_types(cloud: AzureCloud, status: int, code: str, error: type[Exception]) -> None:
    cloud.api.fail(CHAIN[2], status, cloud.api.refusal(status, "of the test", code))
    with pytest.raises(error, match="of the test") as caught:
        cloud.create()
    assert type(caught.value) is error
    cloud.provider.destroy(cloud.spec().name)
    assert cloud.inventory() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"resourceGroup": None},
        {"region": None},
        {"network": None},
        {"securityGroups": ["a", "b"]},
        {"keyPair": "a"},
        {"clientId": None},
        {"hostKeys": "console"},
        {"cloud": "moon"},
    ],
)
def test_settings_that_cannot_work_are_refused(
    cloud: AzureCloud, wrong: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZURE_CLIENT_ID", raising=False)
    with pytest.raises(InvalidRequestError):
        cloud.reopen(**wrong)

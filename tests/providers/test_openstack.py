"""What only OpenStack is like: floating addresses, consoles, revoked tokens, names that are not unique."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import paramiko
import pytest

from providers import (
    AuthError,
    CapacityError,
    InvalidRequestError,
    QuotaError,
    TransientError,
    VmState,
)

from .clouds.openstack import OpenStackCloud
from .conftest import opened
from .fakes.api import Request
from .fakes.openstack import PASSWORD


@pytest.fixture
def cloud(tmp_path: Path, key: paramiko.PKey) -> Iterator[OpenStackCloud]:
    yield from cast(Iterator[OpenStackCloud], opened("openstack", tmp_path, key))


def server(cloud: OpenStackCloud) -> dict[str, Any]:
    [found] = cloud.api.servers.values()
    return found


def test_a_floating_address_comes_and_goes_with_its_server(cloud: OpenStackCloud) -> None:
    vm = cloud.create()
    assert vm.state is VmState.PENDING and cloud.api.floating == {}
    cloud.boot()
    [address] = cloud.api.floating.values()
    assert cloud.one(vm.name).address == address["floating_ip_address"]
    again = cloud.reopen()
    assert again.list_owned()[0].address == address["floating_ip_address"] and len(cloud.api.floating) == 1
    again.destroy(vm.name)
    assert cloud.api.floating == {}


def test_a_floating_address_whose_answer_was_lost_is_found_again(cloud: OpenStackCloud) -> None:
    cloud.create()
    cloud.api.fail("POST .*/floatingips", lose=True)
    cloud.boot()
    assert len(cloud.api.floating) == 1


def test_one_that_goes_gets_no_floating_address_any_more(cloud: OpenStackCloud) -> None:
    """It would stay when the server has gone: nothing is listed that tells of it."""
    vm = cloud.create()
    server(cloud)["up"] = 0
    cloud.api.delete_delay = 60.0
    assert cloud.states() == {"n1": VmState.PENDING}
    cloud.provider.destroy(vm.name, vm.provider_id)
    cloud.provider.sweep()
    assert cloud.api.floating == {}
    cloud.api.servers.clear()


def test_without_addresses_left_the_node_waits_and_says_why(cloud: OpenStackCloud) -> None:
    body = {"NeutronError": {"type": "OverQuota", "message": "Quota exceeded for resources: ['floatingip']."}}
    fault = cloud.api.fail("POST .*/floatingips", 409, body, times=10_000)
    cloud.create()
    server(cloud)["up"] = 0
    cloud.provider.list_owned()
    assert cloud.provider.sweep() == []
    [vm] = cloud.provider.list_owned()
    assert vm.state is VmState.PENDING and vm.reason is not None and "Quota exceeded" in vm.reason
    fault.left = 0
    cloud.provider.sweep()
    assert cloud.states() == {"n1": VmState.RUNNING}


def test_without_a_pool_nodes_have_their_fixed_address(cloud: OpenStackCloud) -> None:
    settings = {key: value for key, value in cloud.settings().items() if key != "floatingIpPool"}
    cloud.settings = lambda: settings  # type: ignore[method-assign]
    cloud.provider = cloud.reopen()
    cloud.create()
    cloud.boot()
    [vm] = cloud.provider.list_owned()
    assert vm.address is not None and vm.address.startswith("10.0.0.")
    assert cloud.api.asked(".*floatingips") == []


def test_a_server_gets_everything_that_was_asked_for(cloud: OpenStackCloud) -> None:
    provider = cloud.reopen(
        securityGroups=["ssh-only"], keyPair="team", volumeSize=20, configDrive=True, image="image-1", zones=["nova-1"]
    )
    vm = provider.create(cloud.spec(image="", zone="nova-1"))
    asked = server(cloud)["asked"]
    assert asked["security_groups"] == [{"name": "ssh-only"}] and asked["key_name"] == "team"
    assert asked["networks"] == [{"uuid": "net-1"}] and asked["config_drive"] is True
    [disk] = asked["block_device_mapping_v2"]
    assert (disk["uuid"], disk["volume_size"], disk["delete_on_termination"]) == ("image-1", 20, True)
    assert base64.b64decode(asked["user_data"]).startswith(b"#!/bin/sh\n")
    assert (vm.zone, vm.size) == ("nova-1", cloud.size)


@pytest.mark.parametrize(
    ("status", "message", "error"),
    [
        (403, "Quota exceeded for cores: Requested 2, but already used 19 of 20 cores", QuotaError),
        (500, "No valid host was found. There are not enough hosts available.", CapacityError),
        (403, "Policy doesn't allow os_compute_api:servers:create to be performed.", AuthError),
        (400, "Invalid key_name provided.", InvalidRequestError),
        (409, "Multiple possible networks found, use a Network ID to be more specific.", InvalidRequestError),
        (503, "try later", TransientError),
    ],
)
def test_errors_have_types(cloud: OpenStackCloud, status: int, message: str, error: type[Exception]) -> None:
    cloud.api.fail(r"POST .*/servers\Z", status, cloud.api.refusal(status, message))
    with pytest.raises(error) as caught:
        cloud.create()
    assert type(caught.value) is error and message[:30] in str(caught.value)
    assert cloud.api.servers == {}


def test_a_server_in_error_is_over_and_says_why(cloud: OpenStackCloud) -> None:
    cloud.create()
    server(cloud).update(status="ERROR", fault={"message": "Exceeded maximum number of retries."})
    [vm] = cloud.provider.list_owned()
    assert (vm.state, vm.reason) == (VmState.TERMINATED, "Exceeded maximum number of retries.")


def test_one_that_powered_itself_off_is_over(cloud: OpenStackCloud) -> None:
    cloud.create()
    server(cloud)["status"] = "SHUTOFF"
    assert cloud.states() == {"n1": VmState.TERMINATED}


def test_a_revoked_token_is_replaced(cloud: OpenStackCloud) -> None:
    cloud.create()
    cloud.api.tokens.clear()
    cloud.boot()
    assert cloud.states() == {"n1": VmState.RUNNING}


def test_an_application_credential_signs_in(cloud: OpenStackCloud) -> None:
    credential = {"applicationCredentialId": "cred-1", "applicationCredentialSecret": PASSWORD}
    assert cloud.reopen(**credential, username=None, password=None, project=None).list_owned() == []


def test_settings_that_are_missing_are_named(cloud: OpenStackCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OS_PASSWORD", raising=False)
    with pytest.raises(InvalidRequestError, match="password, or the variable OS_PASSWORD"):
        cloud.reopen(password=None)
    monkeypatch.setenv("OS_PASSWORD", PASSWORD)
    assert cloud.reopen(password=None).list_owned() == []


def test_a_server_that_goes_between_two_pages_hides_no_other(cloud: OpenStackCloud) -> None:
    """Nova refuses to go on behind a server that is no more."""
    cloud.api.page = 2
    vms = [cloud.create(f"n{number}") for number in range(5)]
    cloud.boot()

    def goes(request: Request) -> bool:
        if request.query.get("marker") == vms[1].provider_id:
            cloud.api.servers.pop(vms[1].provider_id, None)
        return False

    cloud.api.fail("GET .*/servers/detail", when=goes)
    assert set(cloud.states()) == {"n0", "n2", "n3", "n4"}
    cloud.provider.destroy(vms[1].name)  # its floating address


def test_a_list_that_never_holds_still_is_no_list(cloud: OpenStackCloud) -> None:
    cloud.api.page = 1
    for number in range(2):
        cloud.create(f"n{number}")
    gone = cloud.api.refusal(400, "marker [9a] not found")
    fault = cloud.api.fail("GET .*/servers/detail", 400, gone, times=100, when=lambda each: "marker" in each.query)
    with pytest.raises(TransientError, match="faster than their list can be read"):
        cloud.provider.list_owned()
    assert len(fault.seen) < 10
    cloud.api.heal()


def test_a_strangers_server_of_the_same_name_is_not_touched(cloud: OpenStackCloud) -> None:
    vm = cloud.create()
    cloud.api.servers["theirs"] = {**server(cloud), "id": "theirs", "metadata": {}, "created": "2000-01-01T00:00:00Z"}
    assert cloud.create().provider_id == vm.provider_id
    cloud.provider.destroy(vm.name, "theirs")
    assert cloud.api.servers["theirs"]["gone"] is None


def test_a_server_that_cannot_be_deleted_yet_is_tried_again(cloud: OpenStackCloud) -> None:
    vm = cloud.create()
    body = cloud.api.refusal(409, "Cannot 'delete' instance while it is in vm_state building")
    cloud.api.fail("DELETE .*/servers/", 409, body)
    with pytest.raises(TransientError):
        cloud.provider.destroy(vm.name)
    cloud.provider.destroy(vm.name)


def test_host_keys_can_be_read_from_the_console(cloud: OpenStackCloud) -> None:
    cloud.provider = cloud.reopen(hostKeys="console")
    vm = cloud.create()
    script = base64.b64decode(server(cloud)["asked"]["user_data"]).decode()
    assert "PRIVATE KEY" not in script
    server(cloud)["up"] = 0
    assert cloud.states() == {"n1": VmState.PENDING}
    cloud.provider.sweep()
    assert cloud.states() == {"n1": VmState.PENDING}  # nothing is trusted that the console has not told
    blob = "A" * 68
    server(cloud)["console"] = (
        f"ssh-ed25519 {'B' * 68} forged\n-----BEGIN SSH HOST KEY KEYS-----\necdsa-sha2-nistp256 {'C' * 80} root@n1\n"
        f"ssh-ed25519 {blob} root@n1\n-----END SSH HOST KEY KEYS-----\n"
    )
    assert cloud.one(vm.name).host_key == f"ssh-ed25519 {blob}"
    asked = len(cloud.api.asked("POST .*/action"))
    assert cloud.states() == {"n1": VmState.RUNNING}
    assert len(cloud.api.asked("POST .*/action")) == asked, "it is asked once"


def test_the_console_is_read(cloud: OpenStackCloud) -> None:
    vm = cloud.create()
    cloud.boot()
    assert vm.name in (cloud.provider.console(vm.name) or "")


def test_a_region_that_is_not_there_is_told(cloud: OpenStackCloud) -> None:
    with pytest.raises(InvalidRequestError, match="correct `region`"):
        cloud.reopen(region="Elsewhere").list_owned()

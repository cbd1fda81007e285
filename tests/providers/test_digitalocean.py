"""What only DigitalOcean is like: names that are not unique, tags that stay, a key that must be there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import paramiko
import pytest

from providers import AuthError, CapacityError, InvalidRequestError, TransientError, VmState, open_provider

from .clouds.digitalocean import DigitalOceanCloud
from .conftest import opened
from .fakes.api import Request
from .fakes.digitalocean import TOKEN


@pytest.fixture
def cloud(tmp_path: Path, key: paramiko.PKey) -> Iterator[DigitalOceanCloud]:
    yield from cast(Iterator[DigitalOceanCloud], opened("digitalocean", tmp_path, key))


def test_a_droplet_that_goes_between_two_pages_hides_no_other(cloud: DigitalOceanCloud) -> None:
    """Those behind it move up by one, and the first of the next page with them."""
    cloud.api.page = 2
    for number in range(5):
        cloud.create(f"n{number}")
    cloud.boot()
    first = [next(iter(cloud.api.droplets))]

    def goes(request: Request) -> bool:
        if request.query.get("page") == "2" and first:
            del cloud.api.droplets[first.pop()]
        return False

    cloud.api.fail("GET /v2/droplets", when=goes)
    assert set(cloud.states()) == {"n1", "n2", "n3", "n4"}


def test_a_list_that_never_holds_still_is_no_list(cloud: DigitalOceanCloud) -> None:
    cloud.api.page = 2
    for number in range(3):
        cloud.create(f"n{number}")

    def goes(request: Request) -> bool:
        if request.query.get("page") == "2":
            number, droplet = next(iter(cloud.api.droplets.items()))
            del cloud.api.droplets[number]
            cloud.api.droplets[number + 100] = {**droplet, "id": number + 100}
        return False

    cloud.api.fail("GET /v2/droplets", when=goes)
    with pytest.raises(TransientError, match="faster than their list can be read"):
        cloud.provider.list_owned()
    assert len(cloud.api.asked("GET /v2/droplets")) < 30
    cloud.api.heal()


def test_destroy_ends_all_of_that_name(cloud: DigitalOceanCloud) -> None:
    vm = cloud.create()
    cloud.api.droplets[1] = {**cloud.api.droplets[int(vm.provider_id)], "id": 1}
    cloud.provider.destroy(vm.name, vm.provider_id)
    assert cloud.api.droplets == {} and cloud.inventory() == []


def test_a_strangers_droplet_of_the_same_name_is_not_touched(cloud: DigitalOceanCloud) -> None:
    vm = cloud.create()
    ours = cloud.api.droplets[int(vm.provider_id)]
    cloud.api.droplets[1] = {**ours, "id": 1, "tags": ["web"], "created_at": "2000-01-01T00:00:00Z"}
    assert cloud.create().provider_id == vm.provider_id
    cloud.provider.destroy(vm.name, "1")
    assert list(cloud.api.droplets) == [1]


def test_sizes_with_a_gpu_are_not_offered(cloud: DigitalOceanCloud) -> None:
    """Lists of droplets leave them out: one that was lost would never be found."""
    with pytest.raises(InvalidRequestError, match="gpu-h100x1-80gb"):
        cloud.create(size="gpu-h100x1-80gb")


def test_one_that_powered_itself_off_is_over(cloud: DigitalOceanCloud) -> None:
    vm = cloud.create()
    cloud.api.droplets[int(vm.provider_id)]["status"] = "off"
    [seen] = cloud.provider.list_owned()
    assert seen.state is VmState.TERMINATED and seen.reason is not None and "still costs" in seen.reason


def test_the_key_and_the_tag_go_with_the_last_droplet(cloud: DigitalOceanCloud) -> None:
    first, second = cloud.create("n1"), cloud.create("n2")
    [key] = cloud.api.keys.values()
    assert key["name"] == f"ebbtide-{cloud.deployment}"
    cloud.provider.destroy(first.name)
    assert list(cloud.api.keys.values()) == [key]
    cloud.provider.destroy(second.name)
    assert cloud.api.keys == {}
    assert not any(tag.startswith("ebbtide-deployment") for tag in cloud.api.tags)


def test_a_key_that_the_user_has_there_stays(cloud: DigitalOceanCloud) -> None:
    first = cloud.create("n1")
    [key] = cloud.api.keys.values()
    key["name"] = "my laptop"
    cloud.create("n2")
    for node in ("n1", "n2"):
        cloud.provider.destroy(first.name.replace("n1", node))
    assert list(cloud.api.keys.values()) == [key]


def test_a_key_that_is_named_is_used(cloud: DigitalOceanCloud) -> None:
    cloud.api.keys[5] = {"id": 5, "name": "team", "fingerprint": ":".join(["ab"] * 16), "public_key": "ssh-ed25519 A"}
    provider = cloud.reopen(keyPair="team")
    provider.create(cloud.spec())
    [droplet] = cloud.api.droplets.values()
    assert droplet["ssh_keys"] == [cloud.api.keys[5]["fingerprint"]]
    assert len(cloud.api.keys) == 1


def test_a_droplet_gets_its_place_image_and_tags(cloud: DigitalOceanCloud) -> None:
    provider = cloud.reopen(images={"debian": "my snapshot"}, tags={"cost centre": "a:b/ü"}, zones=["nyc3"])
    vm = provider.create(cloud.spec(image="debian", subnet="vpc-1", zone="nyc3", tags={"owner": "x_y"}))
    [droplet] = cloud.api.droplets.values()
    assert (droplet["image"], droplet["vpc_uuid"], droplet["region"]["slug"]) == ({"id": 9001}, "vpc-1", "nyc3")
    assert (vm.zone, vm.tags["cost centre"], vm.tags["owner"]) == ("nyc3", "a:b/ü", "x_y")
    assert not any(tag.startswith(("ebbtide-vm", "ebbtide-node")) for tag in droplet["tags"]), "tags outlive droplets"


@pytest.mark.parametrize(
    ("status", "message", "error"),
    [
        (422, "Size is not available in this region.", CapacityError),
        (422, "Region is not available", CapacityError),
        (422, "Droplet already has a pending event.", TransientError),
        (422, "user_data is too long", InvalidRequestError),
        (403, "You are not authorized to perform this operation", AuthError),
    ],
)
def test_errors_have_types(cloud: DigitalOceanCloud, status: int, message: str, error: type[Exception]) -> None:
    cloud.api.fail(r"POST /v2/droplets\Z", status, cloud.api.refusal(status, message), times=2)
    with pytest.raises(error, match=message[:20]):
        cloud.create()
    assert cloud.api.droplets == {}
    cloud.provider.destroy(cloud.spec().name)  # as the core does, and the key goes
    assert cloud.api.keys == {}


def test_the_token_comes_from_the_settings_or_the_environment(
    cloud: DigitalOceanCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {**cloud.settings(), "driver": "digitalocean"}
    del settings["token"]
    monkeypatch.delenv("DIGITALOCEAN_TOKEN", raising=False)
    monkeypatch.delenv("DIGITALOCEAN_ACCESS_TOKEN", raising=False)
    with pytest.raises(InvalidRequestError, match="DIGITALOCEAN_ACCESS_TOKEN"):
        open_provider("do", settings, cloud.deployment)
    monkeypatch.setenv("DIGITALOCEAN_ACCESS_TOKEN", TOKEN)
    assert open_provider("do", settings, cloud.deployment).list_owned() == []

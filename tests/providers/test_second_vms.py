"""Two VMs of one name, where names are not unique: the oldest has it, and a sweep ends the others."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest

from providers import TransientError

from .conftest import opened
from .waiting import wait_until


@pytest.fixture(params=["digitalocean", "openstack", "gce"])
def cloud(request: pytest.FixtureRequest, tmp_path: Path, key: paramiko.PKey) -> Iterator[Any]:
    yield from opened(request.param, tmp_path, key)


def test_of_two_with_the_same_name_the_oldest_stays(cloud: Any) -> None:
    vm = cloud.create()
    cloud.boot()
    cloud.disturb(vm.name)
    cloud.api.fail("DELETE", 503, cloud.api.refusal(503, "not now"))
    assert [each.provider_id for each in cloud.provider.list_owned()] == [vm.provider_id]
    with pytest.raises(TransientError):
        cloud.provider.sweep()
    found = cloud.provider.sweep()
    assert len(found) == 1 and found[0].endswith(f"a second VM of the name {vm.name}")
    assert cloud.provider.sweep(dry=True) == []
    wait_until(lambda: len(cloud.inventory()) == len(set(cloud.inventory())) and cloud.living() == ["n1"])
    assert [each.provider_id for each in cloud.provider.list_owned()] == [vm.provider_id]


def test_a_second_vm_that_went_by_itself_is_no_trouble(cloud: Any) -> None:
    vm = cloud.create()
    cloud.boot()
    cloud.disturb(vm.name)
    cloud.provider.list_owned()
    other = cloud.reopen()
    other.destroy(vm.name)
    wait_until(lambda: other.list_owned() == [])
    cloud.provider.sweep()

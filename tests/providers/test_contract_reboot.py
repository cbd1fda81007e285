"""What every provider keeps when VMs are rebooted."""

from dataclasses import replace

import pytest

from providers import InvalidRequestError, NotFoundError, VmState

from .clouds.base import CloudUnderTest


def test_a_rebooted_vm_is_the_same_one(cloud: CloudUnderTest) -> None:
    vm = cloud.create()
    cloud.boot()
    [before] = cloud.provider.list_owned()
    if (cure := cloud.provider.profile().reboot) is not True:
        assert cure
        with pytest.raises(InvalidRequestError, match="reboot"):
            cloud.provider.reboot(vm.name, vm.provider_id)
        assert cloud.states() == {"n1": VmState.RUNNING}
        return
    with pytest.raises(NotFoundError, match="no VM"):
        cloud.provider.reboot(f"{cloud.deployment}-n9")
    for provider_id in (before.provider_id, None):  # twice does no harm
        told = cloud.provider.reboot(vm.name, provider_id) or before
        assert (told.name, told.provider_id, told.host_key) == (before.name, before.provider_id, before.host_key)
        assert told.address and told.port
        cloud.boot()
        [after] = cloud.provider.list_owned()
        assert after == replace(before, address=told.address, port=told.port, state=VmState.RUNNING)
    cloud.provider.destroy(vm.name)
    assert cloud.left() == []
    with pytest.raises(NotFoundError, match="no VM"):
        cloud.provider.reboot(vm.name)

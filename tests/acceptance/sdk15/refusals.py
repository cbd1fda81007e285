"""Pools that cannot be: each is refused with what is wrong, and nothing is made."""

from __future__ import annotations

from functools import partial

from azure.batch import models as m

from tests.acceptance.flow import Flow
from tests.acceptance.sdk15.client import IMAGE, SIZE, connected, refused

flow = Flow()
client = connected(flow)


@flow.step
def windows_is_refused_with_what_there_is_instead() -> None:
    windows = m.VirtualMachineConfiguration(
        image_reference=m.BatchVmImageReference(
            publisher="MicrosoftWindowsServer", offer="WindowsServer", sku="2022-datacenter", version="latest"
        ),
        node_agent_sku_id="batch.node.windows amd64",
        windows_configuration=m.WindowsConfiguration(enable_automatic_updates=False),
    )
    pool = m.BatchPoolCreateOptions(id="pools-windows", vm_size=SIZE, virtual_machine_configuration=windows)
    assert "linux" in refused("InvalidPropertyValue", lambda: client.create_pool(pool)).lower()


@flow.step
def wrong_pools_are_refused() -> None:
    options = m.BatchPoolCreateOptions
    for pool in (
        options(id="not good", vm_size=SIZE, virtual_machine_configuration=IMAGE),
        options(id="pools-wrong", vm_size=SIZE, virtual_machine_configuration=IMAGE, target_dedicated_nodes=-1),
        options(id="pools-wrong", vm_size=SIZE, virtual_machine_configuration=IMAGE, task_slots_per_node=0),
        options(id="pools-wrong", vm_size="no_such_size", virtual_machine_configuration=IMAGE),
    ):
        assert refused("InvalidPropertyValue", partial(client.create_pool, pool))
    broken = options(
        id="pools-wrong",
        vm_size=SIZE,
        virtual_machine_configuration=IMAGE,
        enable_auto_scale=True,
        auto_scale_formula="$TargetDedicatedNodes = ;",
    )
    assert "1:23" in refused("AutoScalingFormulaSyntaxError", lambda: client.create_pool(broken))
    without = {"id": "pools-wrong", "virtualMachineConfiguration": IMAGE.as_dict()}
    assert "vmSize" in refused("MissingRequiredProperty", lambda: client.create_pool(without))
    assert [pool.id for pool in client.list_pools(filter="startswith(id,'pools-wrong')")] == []


if __name__ == "__main__":
    flow.run()

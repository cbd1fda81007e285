"""The whole way on a real VM: a kernel of its own boots, its first-boot script makes it a node, tasks run on it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from pools import PoolSpec, StartTask
from providers import marked_processes
from runner import AddPool

from ..rig.qemu_images import debian_image, unavailable_debian
from .world import FAST, World

FORMULA = "$TargetLowPriorityNodes = max(0, $PendingTasks.GetSample(1)) > 0 ? 1 : 0;"


@pytest.mark.slow
def test_a_pool_of_vms_comes_up_for_work_and_goes_down_to_zero(tmp_path: Path) -> None:
    if reason := unavailable_debian():
        pytest.skip(reason)
    options = {
        "driver": "qemu",
        "images": {"debian": debian_image()},
        "sizes": {"vm.small": {"cpus": 1, "memory": 384}},
        "userData": "#!/bin/sh\necho from the first boot > /etc/first-boot\n",
        "maxVms": 1,
        "restrict": True,
    }
    settings = msgspec.structs.replace(FAST, default_provider="vms", providers={"vms": options})
    with World(tmp_path / "state", settings) as world:
        provider, deployment = world.controller.providers["vms"], world.controller.deployment.id
        pool = PoolSpec(
            id="pool",
            vm_size="vm.small",
            enable_auto_scale=True,
            auto_scale_formula=FORMULA,
            auto_scale_evaluation_interval=timedelta(seconds=1),
            task_slots_per_node=2,
            start_task=StartTask(command_line="/bin/sh -c 'cat /etc/first-boot > $AZ_BATCH_NODE_SHARED_DIR/told'"),
        )
        world.request(AddPool(pool, "vms", "debian"))
        assert world.nodes() == [] and provider.list_owned() == []

        world.job(
            "/bin/sh -c 'cat $AZ_BATCH_NODE_SHARED_DIR/told'",
            "/bin/sh -c 'hostname; id -un; uname -r'",
            """/bin/sh -c 'python3 -c "import os; os.write(1, bytes(300000))"; exit 7'""",
        )
        world.wait_completed(patience=600.0)
        assert [task.exit_code for task in world.tasks()] == [0, 0, 7]
        assert world.printed("t0") == b"from the first boot\n"
        [vm] = [process.vm_name for process in marked_processes(deployment)]
        host, user, kernel = world.printed("t1").decode().split()
        assert vm.lower().endswith(host) and user == "ebbtide"
        assert kernel != Path("/proc/sys/kernel/osrelease").read_text().strip(), "it is a machine of its own"
        assert world.printed("t2") == bytes(300_000)

        world.wait(lambda: not world.nodes(), "the pool to go down to zero")
        assert provider.list_owned() == [] and marked_processes(deployment) == []

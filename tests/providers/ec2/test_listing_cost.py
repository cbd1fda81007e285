"""A tick costs few calls and little processor time, by number. The benchmark `cloud` does it with 1,000."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from providers import HostKeys, Provider, VmSpec, open_provider
from providers.ec2.driver import Credentials, Driver
from tests.rig import IMAGE, SIZE, CloudRig

COUNT = 150
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINCfmJ+CztYGbhmvBLKeiYyhgAnFSS1rdRj7ghbaUQ2B"


def fill(provider: Provider, deployment: str, count: int) -> None:
    """`count` VMs of the deployment, all running."""

    def create(number: int) -> None:
        provider.create(
            VmSpec(
                name=f"{deployment}-n{number}",
                deployment=deployment,
                pool_id="pool",
                node_id=f"n{number}",
                size=SIZE,
                image=IMAGE,
                low_priority=True,
                public_key=KEY,
            )
        )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(create, range(count)))


@pytest.mark.slow
def test_a_tick_is_a_call_for_each_hundred_and_cheaper_than_libclouds_list() -> None:
    with CloudRig(hosts=False) as rig:
        ours = open_provider("aws", rig.settings(timeout=300), "d1", host_keys=HostKeys(bytes(32)))
        fill(ours, "d1", COUNT)
        driver = Driver(Credentials("testing", "testing", None), rig.region, rig.endpoint, 300.0)
        assert len(ours.list_owned()) == len(driver.list_nodes()) == COUNT  # both have connected by now
        before = len(rig.calls)
        start = time.thread_time()
        found = ours.list_owned()
        tick = time.thread_time() - start
        assert len(found) == COUNT
        assert [call.action for call in rig.calls[before:]] == ["DescribeInstanceStatus"] * 2
        start = time.thread_time()
        driver.list_nodes()
        assert tick < time.thread_time() - start

"""A tick costs few calls and little processor time, by number. The benchmark `cloud` does it with 1,000."""

import time

import pytest

from providers.ec2.driver import Credentials, Driver
from tests.benchmarks.cloud_listing_benchmark import controller, fill, list_nodes
from tests.rig import CloudRig

COUNT = 150


@pytest.mark.slow
def test_a_tick_is_a_call_for_each_hundred_and_cheaper_than_libclouds_list() -> None:
    with CloudRig(hosts=False) as rig:
        ours = controller(rig, "d1")
        fill(rig, ours, "d1", COUNT)
        driver = Driver(Credentials("testing", "testing", None), rig.region, rig.endpoint, 300.0)
        assert len(ours.list_owned()) == len(list_nodes(driver)) == COUNT  # both have connected by now
        before = len(rig.calls)
        start = time.thread_time()
        found = ours.list_owned()
        tick = time.thread_time() - start
        assert len(found) == COUNT
        assert [call.action for call in rig.calls[before:]] == ["DescribeInstanceStatus"] * 2
        start = time.thread_time()
        list_nodes(driver)
        assert tick < time.thread_time() - start

"""The simulated cloud on its clock, and the failures that can be asked of it."""

import pytest

from providers import CapacityError, SimulatedProvider, TransientError, VmState

from .conftest import Cloud


def test_a_boot_takes_its_time_on_the_clock(simulated: Cloud) -> None:
    assert simulated.create().state is VmState.PENDING
    simulated.now += 4.999
    assert simulated.states() == {"n1": VmState.PENDING}
    simulated.now += 0.001
    assert simulated.states() == {"n1": VmState.RUNNING}


def test_failures_come_once_each_in_order_and_a_lost_answer_took_effect(simulated: Cloud) -> None:
    provider = simulated.provider
    assert isinstance(provider, SimulatedProvider)
    provider.fail("create", CapacityError("none left"))
    provider.fail("create", TransientError("no answer"), after=True)
    provider.fail("list_owned", TransientError("try again"))
    with pytest.raises(CapacityError):
        simulated.create()
    with pytest.raises(TransientError, match="try again"):
        provider.list_owned()
    assert provider.list_owned() == []
    with pytest.raises(TransientError, match="no answer"):
        simulated.create()
    assert simulated.states() == {"n1": VmState.PENDING}
    assert simulated.create().state is VmState.PENDING


def test_a_vm_that_dies_by_itself_is_terminated_with_the_reason(simulated: Cloud) -> None:
    vm = simulated.create()
    simulated.boot()
    provider = simulated.provider
    assert isinstance(provider, SimulatedProvider)
    provider.terminate(vm.name, "kernel panic")
    provider.preempt(vm.name)  # too late
    assert simulated.one(vm.name).state is VmState.TERMINATED
    assert simulated.one(vm.name).reason == "kernel panic"


def test_two_clouds_that_are_asked_the_same_answer_the_same(simulated: Cloud) -> None:
    other = simulated.reopen()
    for provider in (simulated.provider, other):
        provider.create(simulated.spec("n1"))
        provider.create(simulated.spec("n2", low_priority=False))
    simulated.boot()
    assert simulated.provider.list_owned() == other.list_owned()

"""The simulated cloud on its clock, and the failures that can be asked of it."""

import pytest

from providers import (
    CapacityError,
    InvalidRequestError,
    Profile,
    SimulatedProvider,
    SimulatedSettings,
    TransientError,
    VmSpec,
    VmState,
)

from .clouds.simulated import SimulatedCloud


def test_a_boot_takes_its_time_on_the_clock(simulated: SimulatedCloud) -> None:
    assert simulated.create().state is VmState.PENDING
    simulated.now += 4.999
    assert simulated.states() == {"n1": VmState.PENDING}
    simulated.now += 0.001
    assert simulated.states() == {"n1": VmState.RUNNING}


def test_failures_come_once_each_in_order_and_a_lost_answer_took_effect(simulated: SimulatedCloud) -> None:
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


def test_a_vm_that_dies_by_itself_is_terminated_with_the_reason(simulated: SimulatedCloud) -> None:
    vm = simulated.create()
    simulated.boot()
    provider = simulated.provider
    assert isinstance(provider, SimulatedProvider)
    provider.terminate(vm.name, "kernel panic")
    provider.preempt(vm.name)  # too late
    assert simulated.one(vm.name).state is VmState.TERMINATED
    assert simulated.one(vm.name).reason == "kernel panic"


def test_two_clouds_that_are_asked_the_same_answer_the_same(simulated: SimulatedCloud) -> None:
    other = simulated.reopen()
    for provider in (simulated.provider, other):
        provider.create(simulated.spec("n1"))
        provider.create(simulated.spec("n2", low_priority=False))
    simulated.boot()
    assert simulated.provider.list_owned() == other.list_owned()


def moody(**settings: object) -> tuple[SimulatedProvider, list[float]]:
    """A cloud of its own, and the clock it lives by."""
    clock = [1000.0]
    return SimulatedProvider("s", "d", SimulatedSettings(**settings), lambda: clock[0]), clock  # type: ignore[arg-type]


def asked(name: str, **changes: object) -> VmSpec:
    fields = {"size": "simulated.small", "image": "simulated", "low_priority": True, "public_key": "ssh-ed25519 AAAA"}
    return VmSpec(name, "d", "pool", name, **fields | changes)  # type: ignore[arg-type]


def test_a_place_has_room_for_so_many() -> None:
    profile = Profile(zones=("a", "b"))
    cloud, _ = moody(profile=profile, room={("simulated.small", "a", True): 1})
    cloud.create(asked("d-1", zone="a"))
    cloud.create(asked("d-1", zone="a"))  # the same
    with pytest.raises(CapacityError, match="zone a"):
        cloud.create(asked("d-2", zone="a"))
    cloud.create(asked("d-3", zone="a", low_priority=False))
    assert cloud.create(asked("d-4", zone="b")).zone == "b"
    cloud.destroy("d-1")
    assert cloud.create(asked("d-2", zone="a")).price_per_hour == pytest.approx(0.004)
    with pytest.raises(InvalidRequestError, match="zone 'c'"):
        cloud.create(asked("d-5", zone="c"))


def test_a_new_vm_is_not_seen_at_once() -> None:
    cloud, clock = moody(visibility_delay=20.0)
    vm = cloud.create(asked("d-1"))
    assert cloud.list_owned() == [] and [v.name for v in cloud.everything()] == ["d-1"]
    with pytest.raises(TransientError, match="does not show yet"):
        cloud.destroy("d-1")
    cloud.fail("create", TransientError("no answer"))
    with pytest.raises(TransientError):
        cloud.create(asked("d-2"))
    with pytest.raises(TransientError, match="does not show yet"):
        cloud.destroy("d-2")  # nobody can know yet that there is none
    cloud.destroy("d-1", vm.provider_id)
    clock[0] += 20.0
    cloud.destroy("d-2")
    assert cloud.everything() == []


def test_an_end_may_be_confirmed_and_not_be_true_once() -> None:
    cloud, _ = moody()
    cloud.create(asked("d-1"))
    cloud.spared.add("d-1")
    cloud.destroy("d-1")
    assert [vm.name for vm in cloud.list_owned()] == ["d-1"]
    cloud.destroy("d-1")
    assert cloud.list_owned() == []


def test_its_console_tells_how_it_is() -> None:
    cloud, clock = moody(boot_delay=5.0)
    cloud.create(asked("d-1"))
    clock[0] += 5.0
    assert cloud.console("d-1") == "simulated VM d-1 is running"
    assert cloud.console("d-2") is None
    cloud.fail("console", TransientError("no answer"))
    with pytest.raises(TransientError):
        cloud.console("d-1")

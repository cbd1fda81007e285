"""A controller whose clock is set forward, or whose machine stands still: nodes do not pay for it."""

import pytest
from msgspec.structs import replace

from pools import CountingIds, Deployment, NodeState
from providers import TransientError
from runner import Core, CoreSettings, Engine, ResizePool
from runner.engine import LATE
from runner.events import Tick, VmsListed
from runner.memory_journal import MemoryJournal
from runner.simulation_faults import Faults
from runner.stored import Stored
from tests.simulation.every_event import NODE, NOW, POOLS, nodes

from .run import SETTINGS, ask, job, node_of, simulation, task, until

IMPATIENT = replace(SETTINGS, pools=replace(SETTINGS.pools, boot_timeout=60.0, unreachable_timeout=60.0))


def test_what_boots_meanwhile_is_not_given_up():
    sim = simulation(settings=IMPATIENT)
    until(sim, lambda: sim.journal.table("nodes"))
    sim.sleep(3600.0)
    until(sim, lambda: node_of(sim).state is NodeState.IDLE, 3700.0)
    assert len(sim.world.cloud.everything()) == 1
    pool = sim.journal.table("pools")["p"]
    assert (pool.usage.nodes_allocated, pool.failures) == (1, 0)


def test_what_was_out_of_reach_has_its_time_as_well():
    sim = simulation(settings=IMPATIENT)
    ask(sim, job("j", task("a")))
    until(sim, lambda: node_of(sim).state is NodeState.RUNNING)
    first = node_of(sim)
    sim.world.cut(first.id)
    until(sim, lambda: node_of(sim).unreachable_since is not None)
    sim.sleep(3600.0)
    until(sim, lambda: node_of(sim).unreachable_since is None, 3700.0)
    assert node_of(sim).id == first.id
    assert sim.journal.table("pools")["p"].usage.nodes_allocated == 1


class Long(Faults):
    """A controller that has ended begins an hour later."""

    def latency(self, kind):
        return 3600.0 if kind == "restart" else super().latency(kind)


@pytest.mark.parametrize("lost", ["asleep", "off"])
def test_who_leaves_holds_its_place_while_nobody_asks_for_its_end(lost):
    sim = simulation()
    until(sim, lambda: node_of(sim).state is NodeState.IDLE)
    for _ in range(30):
        sim.world.cloud.fail("destroy", TransientError("it does not answer"))
    ask(sim, ResizePool("p", 0, None))
    until(sim, lambda: node_of(sim).destroying)
    ask(sim, ResizePool("p", 1, None))
    if lost == "asleep":
        sim.sleep(3600.0)
    else:
        sim.faults = Long()
        sim.crash()
    back = sim.now + 3600.0
    sim.run(lambda: False, back + SETTINGS.pools.hold_place - 30.0)
    assert len(sim.world.cloud.everything()) == 1
    sim.run(lambda: False, back + SETTINGS.pools.hold_place + 30.0)
    assert len(sim.world.cloud.everything()) == 2, "but not for ever"


class Hand:
    """A clock that stands still until it is set."""

    now_is = NOW

    def now(self):
        return self.now_is


class Nowhere:
    def issue(self, command): ...


class Controller:
    """The loop, with one node, which answers nothing."""

    def __init__(self, node):
        self.clock = Hand()
        core = Core(CoreSettings(), Deployment("d", "key"), CountingIds())
        core.load(Stored(pools={"p": POOLS["steady"]}, nodes={NODE: nodes()[node]}), NOW)
        self.engine = Engine(core, MemoryJournal(), Nowhere(), self.clock)
        self.turn(0.0)

    def turn(self, passed):
        """One turn of the loop, so many seconds after the last one."""
        self.clock.now_is += passed
        self.engine.post(Tick())
        self.engine.step()

    def gives_up_after(self):
        """Seconds of turns, a second each, until the node is given up."""
        for second in range(2000):
            node = self.engine.core.ctx.nodes.get(NODE)
            if node is None or node.destroying:
                return second
            self.turn(1.0)
        raise AssertionError("never")


@pytest.mark.parametrize("node", ["starting", "lost"])
@pytest.mark.parametrize("gap", [0.0, 9.0, 3600.0])
def test_a_gap_in_time_is_added_to_what_a_node_has_left(node, gap):
    controller = Controller(node)
    controller.turn(gap)
    seconds = controller.gives_up_after() + (gap if gap < 10.0 else 0.0)
    assert 899.0 <= seconds <= 901.0


def test_a_turn_that_waited_for_its_timer_has_lost_nothing(monkeypatch):
    controller = Controller("idle")
    lost, waited, inbox = [], [], controller.engine._inbox
    for timer in [*controller.engine.core.timers._when]:
        controller.engine.core.timers.cancel(*timer)
    controller.engine.core.timers.set("poll", "x", NOW + 30.0)
    monkeypatch.setattr(controller.engine.core, "handle", lambda event, now: lost.append(event))

    class Inbox:
        get_nowait = inbox.get_nowait

        def get(self, timeout):
            waited.append(timeout)
            controller.clock.now_is += timeout + 1.0
            return inbox.get(timeout=timeout)

    monkeypatch.setattr(controller.engine, "_inbox", Inbox())
    inbox.put((Tick(), None, None))
    controller.engine.step()
    assert lost == [Tick()] and waited[0] > LATE


def test_what_comes_before_the_first_turn_is_not_lost(caplog):
    """A workload is read, its packages are copied."""
    controller = Controller("idle")
    controller.clock.now_is += 60.0
    controller.engine.run(lambda: True)
    assert caplog.messages == []
    controller.turn(60.0)
    assert "nothing was done for 60 s" in caplog.text


def test_a_vm_that_is_new_may_be_missing_for_as_long_as_before():
    """Its cloud has not had the time to show it."""
    controller = Controller("made")
    core = controller.engine.core
    node = core.ctx.nodes[NODE]
    core.ctx.put_node(replace(node, vm_confirmed=NOW - 1.0))
    controller.turn(3600.0)
    core.handle(VmsListed("x", (), NOW + 3601.0), NOW + 3602.0)
    assert core.ctx.nodes[NODE].state is NodeState.CREATING
    core.handle(VmsListed("x", (), NOW + 3631.0), NOW + 3632.0)
    assert core.ctx.nodes[NODE].state is NodeState.UNUSABLE


@pytest.mark.parametrize(("confirmed", "missed"), [(NOW - 1.0, False), (NOW - 60.0, True)])
def test_a_vm_that_was_new_when_a_controller_ended_may_be_missing_as_well(confirmed, missed):
    """The clock says that an hour has passed since; it may have been set."""
    core = Core(CoreSettings(), Deployment("d", "key"), CountingIds())
    node, pool = replace(nodes()["made"], vm_confirmed=confirmed), replace(POOLS["steady"], modified=NOW)
    core.load(Stored(pools={"p": pool}, nodes={NODE: node}), NOW + 3600.0)
    core.handle(VmsListed("x", (), NOW + 3601.0), NOW + 3602.0)
    assert (core.ctx.nodes[NODE].state is NodeState.UNUSABLE) == missed
    core.handle(VmsListed("x", (), NOW + 3631.0), NOW + 3632.0)
    assert core.ctx.nodes[NODE].state is NodeState.UNUSABLE

"""What is told of a connection that has been overtaken by another counts for nothing."""

import pytest

from pools import CountingIds, Deployment
from runner import Core, CoreSettings, OpenNode
from runner import events as ev
from runner.stored import Stored
from tests.simulation.every_event import NODE, NOW, POOLS, nodes

CUT, UP = "cut", "up"


class Controller:
    """One that finds an idle node."""

    def __init__(self):
        self.core = Core(CoreSettings(), Deployment("d", "key"), CountingIds())
        self.core.load(Stored(pools={"p": POOLS["steady"]}, nodes={NODE: nodes()["idle"]}), NOW)
        self.now = NOW

    def opened(self):
        """The numbers of the connections that it has asked for meanwhile."""
        self.core.settle(self.now)
        return [command.connection for command in self.core.take()[1] if isinstance(command, OpenNode)]

    def hear(self, what, number):
        up, cut = ev.NodeConnected(NODE, number, frozenset()), ev.NodeDisconnected(NODE, number, "cut", True)
        self.core.handle(up if what is UP else cut, self.now)

    def lose(self, number):
        """The connection breaks; after a while another is made."""
        self.core.handle(ev.NodeDisconnected(NODE, number, "cut"), self.now)
        assert self.opened() == []
        self.now += 10.0
        return self.opened()

    @property
    def connected(self):
        return self.core.pools.nodes.is_connected(NODE)


def test_each_connection_has_its_number():
    controller = Controller()
    assert controller.opened() == [1]
    controller.hear(UP, 1)
    assert controller.connected
    assert controller.lose(1) == [2]
    assert controller.lose(2) == [3], "one that could not be made has one as well"


@pytest.mark.parametrize("stands", [False, True], ids=["while the next is made", "while the next stands"])
@pytest.mark.parametrize("late", [CUT, UP])
def test_what_comes_late_changes_nothing(late, stands):
    """Not even the word that trying again cannot help."""
    controller = Controller()
    controller.opened()
    controller.hear(UP, 1)
    controller.lose(1)
    if stands:
        controller.hear(UP, 2)
    controller.opened()
    node = controller.core.ctx.nodes[NODE]
    for _ in range(2):
        controller.hear(late, 1)
        controller.now += 10.0
        assert controller.opened() == []
    assert controller.connected is stands and controller.core.ctx.nodes[NODE] is node


def test_a_hello_that_is_overtaken_by_the_end_of_its_connection_is_not_believed():
    """Nobody would connect again."""
    controller = Controller()
    controller.opened()
    controller.core.handle(ev.NodeDisconnected(NODE, 1, "cut"), NOW)
    controller.hear(UP, 1)
    assert not controller.connected
    controller.now += 10.0
    assert controller.opened() == [2]

"""How the loop gathers events, and what leaves it together."""

import threading
import time

from pools import CountingIds, Deployment
from runner import Core, CoreSettings, Engine
from runner.commands import Acknowledge, RecallExecutions, acknowledged_together
from runner.engine import BEAT, GATHERINGS
from runner.events import Tick
from runner.memory_journal import MemoryJournal
from tests.simulation.every_event import NOW


class Hand:
    def now(self):
        return NOW


class Nowhere:
    def issue(self, command): ...


class Counting(Core):
    handled = 0

    def handle(self, event, now):
        self.handled += 1
        super().handle(event, now)


def engine():
    core = Counting(CoreSettings(), Deployment("d", "key"), CountingIds())
    return Engine(core, MemoryJournal(), Nowhere(), Hand()), core


def test_under_load_events_are_gathered_for_a_beat():
    loop, core = engine()
    loop._quiet_until = time.monotonic() + 60 * BEAT
    loop.post(Tick())
    late = threading.Timer(5 * BEAT, lambda: loop.post(Tick()))
    late.start()
    loop.step()
    late.join()
    assert core.handled == 2


def test_who_waits_for_an_answer_does_not_wait_for_a_beat():
    loop, core = engine()
    loop._quiet_until = time.monotonic() + 3600.0
    answer = loop.request(Tick())
    loop.step()
    assert answer.done() and core.handled == 1


def test_a_node_is_told_once_what_it_may_forget():
    recall = RecallExecutions("n1", ("x",))
    said = (Acknowledge("n1", ("a",)), recall, Acknowledge("n2", ("b",)), Acknowledge("n1", ("c", "d")))
    assert acknowledged_together(said) == (Acknowledge("n1", ("a", "c", "d")), recall, Acknowledge("n2", ("b",)))
    assert acknowledged_together(()) == ()


def test_requests_that_come_one_after_the_other_share_a_commit(monkeypatch):
    loop, core = engine()
    # the next is there when the one before has been taken
    more = iter([lambda: loop.request(Tick()), lambda: loop.request(Tick())])
    monkeypatch.setattr(loop, "_pause", lambda seconds: next(more, lambda: None)())
    answer = loop.request(Tick())
    loop.step()
    assert core.handled == 3 and answer.done()


def test_who_waits_for_an_answer_does_not_wait_for_all_that_comes(monkeypatch):
    loop, core = engine()
    monkeypatch.setattr(loop, "_pause", lambda seconds: loop.post(Tick()))
    answer = loop.request(Tick())
    loop.step()
    assert core.handled == 1 + GATHERINGS and answer.done()

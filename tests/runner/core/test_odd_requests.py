"""Whatever is asked, with whatever arguments: it is refused or done, and the loop goes on."""

from __future__ import annotations

import json
import shutil
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pools import CountingIds, Deployment, PoolError, PoolSpec
from runner import (
    AddJob,
    AddJobSchedule,
    AddPool,
    Core,
    CoreSettings,
    Engine,
    JobError,
    JobManagerTask,
    JobScheduleSpec,
    JobSpec,
    JobSpecification,
    PoolInfo,
    Schedule,
    TaskSpec,
    TerminateTask,
    application_events,
    events,
    job_events,
    node_events,
    open_journal,
    pool_events,
)
from runner.events import Event, Tick
from runner.memory_journal import MemoryJournal
from service.request_routes import KINDS, _event
from service.web_errors import WebError
from tests.simulation.every_event import NOW

from .odd_arguments import NAMES, values

#: Nobody can be refused: what happens is told.
REPORTS = {events.TimeLost, events.Tick, events.Drain, events.LookAtOutputs, job_events.JobForgotten}
REPORTS |= {node_events.VmRebooted, node_events.VmRebootFailed}
ABSTRACT = {Event, job_events.OfTask, node_events.NodeRequest}
INFO = PoolInfo(pool_id="p")


def requests() -> list[type[Event]]:
    """Every one of the modules: in events.py the reports begin with the clouds'."""
    of_pools = list(vars(events).values())
    of_pools = of_pools[: of_pools.index(events.VmCreated)]
    modules = (application_events, pool_events, job_events, node_events)
    others = [each for module in modules for each in vars(module).values()]
    found = [each for each in (*of_pools, *others) if isinstance(each, type)]
    found = [each for each in found if issubclass(each, Event) and each not in (*ABSTRACT, *REPORTS)]
    return list(dict.fromkeys(found))


REQUESTS = requests()


class Hand:
    now_is = NOW

    def now(self):
        return self.now_is


class Nowhere:
    def issue(self, command): ...


def new_core():
    return Core(CoreSettings(), Deployment("d", "key"), CountingIds(), lambda spec: ("x", ""))


def loop(journal):
    engine = Engine(new_core(), journal, Nowhere(), Hand())
    specification = JobSpecification(pool_info=INFO, job_manager_task=JobManagerTask(id="m", command_line="x"))
    schedule = JobScheduleSpec(id="s", schedule=Schedule(), job_specification=specification)
    tasks = tuple(TaskSpec(id=name, command_line="x") for name in ("a", "b"))
    for event in (
        AddPool(PoolSpec(id="p", vm_size="s", target_dedicated_nodes=1), "x"),
        AddJob(JobSpec(id="j", pool_info=INFO), tasks),
        AddJob(JobSpec(id="k", pool_info=INFO)),
        AddJobSchedule(schedule),
        TerminateTask("j", "a"),
    ):
        ask(engine, event)
    return engine


def ask(engine, event):
    """The refusal; None: it was done."""
    answer = engine.request(event)
    engine.step()
    error = answer.exception(0)
    assert error is None or (isinstance(error, JobError | PoolError) and error.code != "InternalError"), error
    return error


def test_every_request_is_tried():
    assert len(REQUESTS) > 25 and {*KINDS.values()} <= {*REQUESTS}
    engine = loop(MemoryJournal())
    assert {*REQUESTS} <= {*engine.core._handlers}


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A database with its tables."""
    path = tmp_path_factory.mktemp("state") / "empty.db"
    open_journal(f"sqlite:///{path}").close()
    return path


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(asked=st.lists(st.sampled_from(REQUESTS).flatmap(lambda kind: values(kind)), min_size=1, max_size=8))
def test_what_is_asked_is_refused_or_done(empty, asked):
    shutil.copy(empty, path := empty.with_name("state.db"))
    with closing(open_journal(f"sqlite:///{path}", upgrade=False)) as journal:
        engine = loop(journal)
        for event in asked:
            ask(engine, event)
            engine._clock.now_is += 1.0
        for _ in range(3):  # what follows from it
            engine._clock.now_is += 400.0
            engine.post(Tick())
            engine.step()
        core = new_core()
        core.load(journal.load(0.0), engine._clock.now_is)  # nor is the next controller stopped by it
        core.settle(engine._clock.now_is)


@pytest.mark.parametrize("kind", sorted(KINDS))
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_what_comes_in_by_the_socket_is_refused_or_done(kind, data):
    """As its text: with numbers that no event could hold."""
    odd = st.sampled_from(NAMES) | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
    names = KINDS[kind].__struct_fields__
    arguments = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(names, odd)))
    try:
        event = _event(json.dumps({"kind": kind, "arguments": arguments}).encode())
    except WebError as refused:
        assert refused.status == 400
        return
    ask(loop(MemoryJournal()), event)

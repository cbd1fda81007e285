"""Nodes that only a formula can bring: it is told of the work that needs them, and has its time to react."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from runner import (
    AddTasks,
    DeleteJob,
    DeleteTask,
    DisableJob,
    EnableAutoScale,
    ReactivateTask,
    TerminateTask,
    UpdateJob,
    UpdatePool,
)

from .prepared import prepared_job
from .run import ask, completed, job, job_of, simulation, task, tasks_of, until
from .test_budgets import SETTINGS, budget
from .test_multi_instance import gang

EVERY = timedelta(minutes=5)
PATIENCE = 3 * EVERY.total_seconds() + 60.0
DAY = 24 * 3600.0
#: Three nodes if it is told of a task that needs so many.
GOOD = "$TargetDedicatedNodes = max(1, min(3, $ActiveTasks.GetSample(1)));"
FIXED = "$TargetDedicatedNodes = 1;"
SLOW = {"slow": [(6 * 3600.0, 0)]}


def scaled(formula, plans=None, **changes):
    """Whose pool has one node, and a formula that has been asked before."""
    sim = simulation(
        SLOW if plans is None else plans,
        **{
            "target_dedicated_nodes": None,
            "enable_auto_scale": True,
            "auto_scale_formula": formula,
            "auto_scale_evaluation_interval": EVERY,
            "enable_inter_node_communication": True,
            **changes,
        },
    )
    passes(sim, 700.0)
    assert [str(node.state) for node in sim.journal.table("nodes").values()] == ["idle"]
    return sim


def passes(sim, seconds):
    sim.run(lambda: False, sim.now + seconds)


def another_is_disabled(sim):
    """A job that nothing is to be said of."""
    ask(sim, job("paused", task("t")))
    ask(sim, DisableJob("paused", "requeue"))


def error_of(sim, task_id):
    error = tasks_of(sim)[task_id].scheduling_error
    return error.code if error is not None else None


def is_unprepared(sim):
    error = job_of(sim).scheduling_error
    return error is not None and error.code == "JobPreparationTaskFailed"


# -- tasks -------------------------------------------------------------------------------------------------------


def test_another_formula_has_its_time_too():
    sim = scaled(FIXED)
    ask(sim, job("j", gang("g", 3)))
    until(sim, lambda: error_of(sim, "g") is not None)
    passes(sim, DAY)
    assert sim.core.counts("p").active == 0
    assert ask(sim, EnableAutoScale("p", GOOD, EVERY.total_seconds())) is None
    assert (error_of(sim, "g"), sim.core.counts("p").active) == (None, 3), "it is told of it"
    completed(sim, "g")


def test_one_that_does_not_help_either_has_no_more_than_its_time():
    sim = scaled(FIXED)
    ask(sim, job("j", gang("g", 3)))
    until(sim, lambda: error_of(sim, "g") is not None)
    changed = sim.now
    ask(sim, EnableAutoScale("p", "$TargetDedicatedNodes = 2;", EVERY.total_seconds()))
    until(sim, lambda: error_of(sim, "g") is not None)
    assert sim.now - changed == pytest.approx(PATIENCE, abs=60.0)
    assert "is to have 2" in tasks_of(sim)["g"].scheduling_error.message


@pytest.mark.parametrize("how", ["deleted", "deleted at once", "reactivated"])
def test_a_task_of_the_same_id_that_comes_later_has_its_time(how):
    sim = scaled(GOOD, task_slots_per_node=2)
    ask(sim, job("j", task("slow")))
    ask(sim, AddTasks("j", (gang("g", 3),)))
    if how == "deleted at once":  # and added again in the same batch, when its time is nearly over
        ask(sim, EnableAutoScale("p", FIXED, EVERY.total_seconds()))
        passes(sim, PATIENCE - 100.0)
        sim.request(DeleteTask("j", "g"))
        ask(sim, AddTasks("j", (gang("g", 3),)))
        passes(sim, 200.0)
        assert error_of(sim, "g") is None
        return
    ended = TerminateTask("j", "g") if how == "reactivated" else DeleteTask("j", "g")
    assert ask(sim, ended) is None
    passes(sim, 2 * PATIENCE)
    assert ask(sim, ReactivateTask("j", "g") if how == "reactivated" else AddTasks("j", (gang("g", 3),))) is None
    completed(sim, "g")


def test_a_job_of_the_same_id_that_comes_later_has_its_time():
    sim = scaled(GOOD)
    another_is_disabled(sim)
    ask(sim, job("j", gang("g", 3)))
    ask(sim, DeleteJob("j"))
    until(sim, lambda: job_of(sim) is None)
    passes(sim, 2 * PATIENCE)
    ask(sim, job("j", gang("g", 3)))
    completed(sim, "g")


def test_the_time_in_which_a_budget_stops_the_job_is_not_the_formulas():
    sim = scaled(GOOD, settings=SETTINGS, task_slots_per_node=2)
    asked = job("j", task("slow"), gang("g", 3), metadata=budget(5))
    ask(sim, asked)
    until(sim, lambda: job_of(sim).held)
    passes(sim, 2 * PATIENCE)
    assert ask(sim, UpdateJob(replace(asked.spec, metadata=budget(10**6)))) is None
    completed(sim, "g")


def test_what_the_budget_of_the_pool_has_barred_is_awaited_when_it_is_raised():
    sim = scaled(GOOD, settings=SETTINGS, metadata=budget(60))
    until(sim, lambda: any(x.code == "BudgetReached" for x in sim.journal.table("pools")["p"].resize_errors))
    ask(sim, job("j", gang("g", 3)))
    assert error_of(sim, "g") is not None, "no formula can bring them"
    spec = replace(sim.journal.table("pools")["p"].spec, metadata=budget(10**6))
    assert ask(sim, UpdatePool(spec, frozenset({"metadata"}))) is None
    completed(sim, "g")


# -- jobs --------------------------------------------------------------------------------------------------------


def refused(formula):
    """The job's preparation fails on the first node, and would succeed on others."""
    sim = scaled(formula, {"jobpreparation": [(5.0, 3), (5.0, 0)]})
    ask(sim, prepared_job("j", task("t")))
    return sim


MORE = "$TargetDedicatedNodes = 1 + min(1, $ActiveTasks.GetSample(1));"


def test_a_job_that_could_not_be_prepared_waits_for_another_formula():
    sim = refused(FIXED)
    until(sim, lambda: is_unprepared(sim))
    passes(sim, DAY)
    assert ask(sim, EnableAutoScale("p", MORE, EVERY.total_seconds())) is None
    assert (is_unprepared(sim), sim.core.counts("p").active) == (False, 1)
    completed(sim, "t")


def test_the_time_in_which_no_task_of_it_waits_is_not_the_formulas():
    sim = refused(MORE)
    another_is_disabled(sim)
    passes(sim, 30.0)
    ask(sim, DeleteTask("j", "t"))
    passes(sim, 2 * PATIENCE)
    ask(sim, AddTasks("j", (task("u"),)))
    assert not is_unprepared(sim)
    completed(sim, "u")

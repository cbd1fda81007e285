"""What ended on a full disk of its node is told so, with what it printed, whether it failed or not."""

import pytest

from runner import Output
from runner.failure import DISK_FULL
from runner.node_messages import outcome_of

from .run import ask, job, simulation, task, tasks_of, until


def ended(exit_code, **told):
    """The task, as its node tells of its end."""
    sim = simulation({"t": [(600.0, 0)]})
    ask(sim, job("j", task("t")))
    until(sim, lambda: tasks_of(sim)["t"].state == "running")
    record, now = tasks_of(sim)["t"], sim.now
    message = {"id": record.execution_id, "exit": exit_code, "signal": None, "error": None, "start": now, "end": now}
    message |= {"killed": False, "timeout": False, **told}
    report = outcome_of(record.node_id, message, [Output(stream="stdout", size=1, data=b"x")])
    assert [each.full for each in report.outputs] == [bool(told)]
    sim.core.tasks.outcome(report, now)
    return sim.core.tasks.tasks[record.key]


@pytest.mark.parametrize("exit_code", [0, 1])
@pytest.mark.parametrize("full", [{}, {"full": True}])
def test_it_is_told(exit_code, full):
    record = ended(exit_code, **full)
    told = record.failure.message if exit_code else record.warning
    assert told.endswith(DISK_FULL) == bool(full) and (not exit_code or record.warning == "")

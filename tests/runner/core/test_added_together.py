"""Tasks that are added together come to the same as when they are added one by one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pools import CountingIds, Deployment, EnvironmentSetting, PoolSpec
from runner import AddJob, AddPool, AddTaskCollection, AddTasks, Core, DisableJob, JobError, JobSpec, TaskSpec
from runner.task_spec import AffinityInformation, TaskDependencies

from .run import POOL, SETTINGS

NOW = 1_750_000_000.0
_KINDS: list[dict[str, Any]] = [
    {},
    {},
    {"required_slots": 2},
    {"required_slots": 9},
    {"environment_settings": (EnvironmentSetting(name="A", value="b"),)},
    {"affinity_info": AffinityInformation(affinity_id="n")},
    {"command_line": "cmd /c dir"},
    {"depends_on": TaskDependencies(task_ids=("t0",))},
    {"depends_on": TaskDependencies(task_ids=("missing",))},
]
_SPECS = st.lists(
    st.builds(
        lambda number, upper, more: TaskSpec(
            **{"id": f"{'T' if upper else 't'}{number}", "command_line": "true"} | more
        ),
        st.integers(0, 6),
        st.booleans(),
        st.sampled_from(_KINDS),
    ),
    min_size=1,
    max_size=8,
)


class World:
    def __init__(self, disabled: bool) -> None:
        self.core = Core(SETTINGS, Deployment("d", "d"), CountingIds())
        pool = PoolSpec(id="p", vm_size="simulated.small", task_slots_per_node=4)
        self.core.handle(AddPool(pool, "simulated", "simulated"), NOW)
        self.core.handle(AddJob(JobSpec(id="j", pool_info=POOL, uses_task_dependencies=True)), NOW)
        if disabled:
            self.core.handle(DisableJob("j", "wait"), NOW)

    def ask(self, event: Any) -> Any:
        """The ids of tasks, or the codes of what refused them; one code if it was all."""
        try:
            found: Any = self.core.handle(event, NOW)
        except JobError as exc:
            return exc.code
        return [each.code if isinstance(each, JobError) else each.id for each in found]

    def tasks(self) -> list[Any]:
        """By the time that everything has settled; versions differ, as one batch notes the last one only."""
        self.core.settle(NOW)
        return sorted((replace(each, version=1) for each in self.core.tasks.tasks), key=lambda each: each.sequence)

    def counts(self) -> tuple[Any, ...]:
        tasks = self.core.tasks
        order = []
        while (first := tasks.queue.first("p")) is not None:
            order.append(first.id)
            tasks.queue.set_aside(first)
        tasks.queue.bring_back()
        return (tasks.counts("p"), tasks.open_tasks("j"), tasks.ready_tasks("j"), order, len(tasks.open_of("j")))


@given(st.lists(_SPECS, min_size=1, max_size=3), st.booleans())
def test_in_one_call_or_one_by_one(calls: list[list[TaskSpec]], disabled: bool) -> None:
    together, one_by_one = World(disabled), World(disabled)
    for specs in calls:
        answers = together.ask(AddTaskCollection("j", tuple(specs)))
        each = [one_by_one.ask(AddTasks("j", (spec,))) for spec in specs]
        assert answers == [found[0] if isinstance(found, list) else found for found in each]
    assert together.tasks() == one_by_one.tasks()
    assert together.counts() == one_by_one.counts()


@pytest.mark.parametrize("count", [1, 2, 100])
def test_the_journal_is_told_of_each(count: int) -> None:
    world = World(disabled=False)
    world.core.take()
    world.ask(AddTaskCollection("j", tuple(TaskSpec(id=f"t{n}", command_line="true") for n in range(count))))
    changes, _ = world.core.take()
    noted = [change for change in changes if change.table == "tasks"]
    assert [change.key for change in noted] == [("j", f"t{n}") for n in range(count)]
    assert all(change.record == world.core.tasks.tasks[change.key] for change in noted)

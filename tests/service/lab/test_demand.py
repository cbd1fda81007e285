"""How many nodes a workload needs if no task waits: by hand, and against counting at every moment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.lab.arrivals import arrivals_of
from service.lab.demand import demand_of, steps_of

#: task slots of a node
MOST = 4


def arrivals(*tasks):
    """Of (arrival, duration) or (arrival, duration, slots)."""
    filled = [(*task, 1)[:3] for task in tasks]
    times, durations, slots = zip(*filled, strict=True) if filled else ((), (), ())
    return arrivals_of(times, durations, slots)


@pytest.mark.parametrize(
    ("tasks", "slots_per_node", "steps"),
    [
        pytest.param([], 1, [], id="nothing"),
        pytest.param([(5, 10)], 1, [(5, 1), (15, 0)], id="one"),
        pytest.param([(0, 10), (5, 10)], 1, [(0, 1), (5, 2), (10, 1), (15, 0)], id="overlapping"),
        pytest.param([(0, 10), (10, 5)], 1, [(0, 1), (15, 0)], id="one goes as the other comes"),
        pytest.param([(0, 10), (12, 1)], 1, [(0, 1), (10, 0), (12, 1), (13, 0)], id="a gap"),
        pytest.param([(3, 1)] * 5, 1, [(3, 5), (4, 0)], id="all at once"),
        pytest.param([(3, 1)] * 5, 4, [(3, 2), (4, 0)], id="rounded up"),
        pytest.param([(0, 9, 1), (1, 3, 3), (2, 9, 1)], 4, [(0, 1), (2, 2), (4, 1), (11, 0)], id="slots of a node"),
        pytest.param([(0, 5, 3), (1, 5, 3)], 4, [(0, 1), (1, 2), (5, 1), (6, 0)], id="two large ones share no node"),
        pytest.param([(0, 5, 3), (1, 5, 3), (2, 5, 1)], 4, [(0, 1), (1, 2), (5, 1), (7, 0)], id="beside large ones"),
        pytest.param([(0, 5, 3), (1, 5, 2)], 1, [(0, 3), (1, 5), (5, 2), (6, 0)], id="in slots"),
        pytest.param([(0.1, 0.2), (0.3, 1)], 1, [(0.1, 1), (1.3, 0)], id="0.1 + 0.2 is a little more than 0.3"),
        pytest.param([(0.3, 0.4), (0.1, 0.2)], 1, [(0.1, 1), (0.7, 0)], id="0.3 + 0.4 as well"),
    ],
)
def test_steps(tasks, slots_per_node, steps):
    demand = demand_of(arrivals(*tasks), slots_per_node)
    assert [*zip(demand.times, demand.nodes, strict=True)] == steps
    assert demand.peak == max((nodes for _, nodes in steps), default=0)


TASKS = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 12), st.integers(1, MOST)), max_size=14)


def running(tasks, moment):
    return [size for begin, length, size in tasks if begin <= moment < begin + length]


def level(demand, moment):
    return ([0] + [nodes for time, nodes in zip(demand.times, demand.nodes, strict=True) if time <= moment])[-1]


@given(TASKS, st.booleans())
def test_at_every_moment_it_is_what_the_running_tasks_need(tasks, one_size):
    if one_size:
        tasks = [(begin, length, 3) for begin, length, _ in tasks]
    demand = demand_of(arrivals(*tasks), MOST)
    for moment in range(45):
        sizes = running(tasks, moment)
        assert level(demand, moment) == max(-(-sum(sizes) // MOST), sum(size > MOST / 2 for size in sizes))


@given(TASKS)
def test_no_placement_of_the_tasks_does_with_fewer_nodes(tasks):
    demand = demand_of(arrivals(*tasks), MOST)
    nodes: list[list[tuple[int, int]]] = []
    for now in sorted({begin for begin, _, _ in tasks}):
        for node in nodes:
            node[:] = [(end, held) for end, held in node if end > now]
        for length, size in [(length, size) for begin, length, size in tasks if begin == now]:
            # first fit: on the first node that has room
            with_room = [node for node in nodes if sum(held for _, held in node) + size <= MOST]
            if not with_room:
                nodes.append([])
            (with_room or nodes[-1:])[0].append((now + length, size))
        assert sum(map(bool, nodes)) >= level(demand, now)


@given(TASKS)
def test_steps_ascend_differ_and_end_at_nothing(tasks):
    demand = demand_of(arrivals(*tasks), MOST)
    assert list(demand.times) == sorted(set(demand.times))
    assert all(a != b for a, b in zip([0, *demand.nodes], demand.nodes, strict=False))
    assert not tasks or demand.nodes[-1] == 0


@given(TASKS)
def test_with_one_slot_it_is_the_work(tasks):
    tasks = [(begin, length, 1) for begin, length, _ in tasks]
    assert demand_of(arrivals(*tasks), 1).node_seconds == sum(length for _, length, _ in tasks)


@given(TASKS, st.integers(0, 6))
def test_what_some_nodes_leave_to_others(tasks, nodes):
    demand = demand_of(arrivals(*tasks), MOST)
    rest = demand.above(nodes)
    for moment in range(45):
        assert level(rest, moment) == max(0, level(demand, moment) - nodes)
    assert rest == steps_of(rest.times, rest.nodes)

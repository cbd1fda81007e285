"""What the search proposes: within the ranges, never twice, the same for the same seed, and better and better."""

import pytest

from service.lab.tuning import proposals
from service.lab.tuning.parameters import Parameter, read_parameter
from service.lab.tuning.proposals import Proposals

RANGES = {
    "whole": ("a=2:40", "b=1:9"),
    "fractions": ("a=0.0:1", "b=-2.0:3"),
    "logarithmic": ("a=1:1000:log", "b=0.001:10:log"),
    "mixed": ("a=2:40", "b=0.1:0.9"),
}


def searched(ranges, seed, batches=5, size=8, cost=lambda a, b: a + b, passed=lambda a, b: 0.0):
    """All that is proposed; what becomes of it is told batch by batch."""
    search = Proposals([read_parameter(each) for each in ranges], seed, batches * size, {"a": 7, "b": 1})
    found = []
    for _ in range(batches):
        batch = search.propose(size)
        for values in batch:
            search.tell(values, cost(**values), {"p95": passed(**values)})
        found += batch
    return found


@pytest.mark.parametrize("name", RANGES)
def test_within_the_ranges_and_never_twice(name):
    parameters = [read_parameter(each) for each in RANGES[name]]
    found = searched(RANGES[name], 3)
    assert len(found) == 40 and len({tuple(each.values()) for each in found}) == 40
    for values in found:
        assert list(values) == ["a", "b"] and all(each.holds(values[each.name]) for each in parameters)
        assert all(isinstance(values[each.name], int) for each in parameters if each.whole)
    if name == "whole":
        assert {"a": 7, "b": 1} not in found  # it was known


@pytest.mark.parametrize("name", RANGES)
def test_the_seed_decides(name):
    assert searched(RANGES[name], 3) == searched(RANGES[name], 3) != searched(RANGES[name], 4)


def test_where_there_are_few_combinations_all_are_tried_once():
    found = searched(("a=1:3", "b=0:3"), 1, batches=2)
    assert len(found) == 12 == len({tuple(each.values()) for each in found})


def test_where_everything_is_known_it_ends(monkeypatch):
    monkeypatch.setattr(proposals, "_REPEATED", 0)  # chance alone: 5 values, all of them are soon known
    monkeypatch.setattr(Parameter, "rounded", lambda self, value: round(value, 1))
    found = Proposals([read_parameter("a=0.0:0.4")], 1, 4000, {"a": 5.0}).propose(50)
    assert sorted(each["a"] for each in found) == [0.0, 0.1, 0.2, 0.3, 0.4]


def test_it_finds_the_cheapest_that_is_allowed():
    """Cost falls with a and b, and a + b / 10 of more than 40 is forbidden: who draws by chance seldom comes near."""
    ranges = ("a=0:100", "b=0.0:100")
    costs = []
    for seed in range(3):
        found = searched(
            ranges, seed, batches=8, cost=lambda a, b: 100 - a, passed=lambda a, b: (a + b / 10 - 40) / 40
        )
        costs.append(min(100 - each["a"] for each in found if each["a"] + each["b"] / 10 <= 40))
    assert max(costs) <= 66 and sorted(costs)[1] <= 63

"""The figures as text: as wide as there is room."""

import re

import msgspec
import pytest

from service.lab.figures_text import figures_text

from .synthetic import ALWAYS, PENDING, WORKDAY, synthetic

replace = msgspec.structs.replace
OUTCOME = synthetic({"pending-tasks": PENDING, "workday": WORKDAY, "always twelve nodes": ALWAYS}, days=1)
ENDLESS = 1_000_000


def lines(width, outcome=OUTCOME):
    return list(figures_text(outcome, width))


def test_one_line_for_a_figure_where_there_is_room():
    told = lines(ENDLESS)
    heads = ["pending-tasks", "workday", "always twelve nodes", "[Optimum]", "[Break-even]", "[Work alone]"]
    assert re.split(" {2,}", told[0].strip()) == heads
    widest = max(map(len, told))
    assert lines(widest) == told != lines(widest - 1)


@pytest.mark.parametrize("width", [100, 80, 60, 40])
def test_it_is_no_wider_than_it_may_be(width):
    told = lines(width)
    assert max(map(len, told)) <= width
    words = " ".join(told).split()
    for run in OUTCOME.runs:
        assert f"{run.figures.cost:.2f}" in words
    assert OUTCOME.bounds is not None and f"{OUTCOME.bounds.optimum.cost:.2f}" in words


def test_names_are_broken_first():
    told = lines(max(map(len, lines(ENDLESS))) - 1)
    assert told[:3] == [line for line in told[:3] if line.startswith(" " * 24)]
    assert told[3] == "Money" and told.count("Money") == 1
    assert [told[number].split()[0] for number in range(3)] == ["always", "pending-", "tasks"]


def test_then_bounds_have_a_table_of_their_own_with_what_they_tell():
    told = lines(65)
    assert told.count("") == 1
    bounds = told[told.index("") + 1 :]
    assert "[Optimum]" in " ".join(bounds[:2])
    assert [line[:24].strip() for line in bounds[2:]] == [
        "Money", "Cost", "Cost / optimum", "Nodes", "Node-hours used",
    ]  # fmt: skip


def test_too_little_room_for_anything_is_no_reason_to_tell_nothing():
    told = lines(10)
    assert told.count("Money") == 6
    assert {len(line) <= 60 for line in told} == {True}


def test_without_bounds():
    told = lines(40, replace(OUTCOME, bounds=None))
    assert not [line for line in told if "[" in line]
    assert told.count("Work") == 3

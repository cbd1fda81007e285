"""docs/formula.md: what it shows can be typed, and does what stands beside it."""

import re
import shlex

import pytest
from click.testing import CliRunner

from formula import PoolValues, Samples, TimeSeries, compile_formula, lint, parse_time
from service.cli.main import main
from tests.architecture.sources import ROOT

GUIDE = (ROOT / "docs/formula.md").read_text(encoding="utf-8").split("## Reference")[0]
MONDAY = parse_time("2026-03-02T14:30:00Z")
SUNDAY = parse_time("2026-03-01T14:30:00Z")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, flags=re.DOTALL | re.MULTILINE)


FORMULAS = blocks("formula")
SHOWN_WITH_A_FINDING = FORMULAS[-1]


def about(word):
    (text,) = (each for each in FORMULAS if word in each)
    return text


def decided(text, values, now=MONDAY, slots=1):
    """Dedicated and low-priority nodes; None if the evaluation fails. `values`: of $PendingTasks, oldest first."""
    first = now - 30 * (len(values) - 1)
    series = TimeSeries((first + 30 * place, value) for place, value in enumerate(values))
    samples = Samples(series={"$PendingTasks": series}, pool=PoolValues(task_slots_per_node=slots))
    evaluation = compile_formula(text).evaluate(samples, now)
    return None if evaluation.error else (evaluation.dedicated, evaluation.low_priority)


@pytest.mark.parametrize("text", FORMULAS[:-1])
def test_the_formulas_are_good_ones(text):
    assert [found.render() for found in lint(text, now=MONDAY) if found.severity != "info"] == []


@pytest.mark.parametrize(
    ("word", "values", "now", "slots", "expected"),
    [
        ("four nodes, always", [], MONDAY, 1, (4, 0)),
        ("GetSample(lookback, 1)", [3, 7, 2], MONDAY, 1, (7, 0)),
        ("GetSample(lookback, 1)", [1000], MONDAY, 1, (10, 0)),
        ("GetSample(lookback, 1)", [], MONDAY, 1, None),
        ("known < 70 ? 0", [], MONDAY, 1, (0, 0)),
        ("known < 70 ? 0", [1] * 6, MONDAY, 1, (0, 0)),
        ("known < 70 ? 0", [1] * 7 + [2], MONDAY, 1, (2, 0)),
        ("waiting / $TaskSlotsPerNode", [], MONDAY, 2, (0, 0)),
        ("waiting / $TaskSlotsPerNode", [1], MONDAY, 2, (1, 0)),
        ("local.weekday", [], MONDAY, 1, (4, 0)),
        ("local.weekday", [], SUNDAY, 1, (0, 0)),
        ("recently", [0] * 10 + [7], MONDAY, 1, (0, 7)),
        ("recently", [7] + [0] * 10, MONDAY, 1, (0, 1)),
        ("recently", [7] + [0] * 30, MONDAY, 1, (0, 0)),
    ],
)
def test_the_formulas_decide_what_the_text_says(word, values, now, slots, expected):
    assert decided(about(word), values, now, slots) == expected


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Holds what the guide tells the reader to write."""
    monkeypatch.chdir(tmp_path)
    (samples,) = blocks("json")
    (tmp_path / "samples.json").write_text(samples, encoding="utf-8")
    return tmp_path


def test_the_commands_run(folder):
    (commands,) = blocks("sh")
    for line in commands.splitlines():
        program, *words = shlex.split(line, comments=True)
        assert program == "ebbtide"
        run = CliRunner().invoke(main, words)
        assert run.exit_code == 0, (line, run.output)


def test_the_finding_is_shown_as_it_is_told(folder):
    (folder / "pool.formula").write_text(SHOWN_WITH_A_FINDING, encoding="utf-8")
    run = CliRunner().invoke(main, ["formula", "check", "pool.formula", "--select", "F4"])
    assert run.stdout in blocks("text")


def test_the_python_example_prints_what_stands_below_it(capsys):
    (code,) = blocks("python")
    exec(compile(code, "formula.md", "exec"), {})
    assert capsys.readouterr().out in blocks("text")

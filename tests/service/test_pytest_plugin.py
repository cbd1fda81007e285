"""The pytest plugin, in pytest runs of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from formula.cases import SUFFIX
from service import pytest_plugin

pytest_plugins = ["pytester"]

PLUGIN = ("-p", "service.pytest_plugin")
FILE = """\
formula
    n = max(0, $PendingTasks.GetSample(1));
    $TargetDedicatedNodes = n > 3 ? 3 : n;

case few tasks
    $PendingTasks 2
    expect $TargetDedicatedNodes == 2

case many tasks
    $PendingTasks 7
    expect $TargetDedicatedNodes == 7
"""
GOOD = FILE.replace("== 7", "== 3")


@pytest.fixture
def write(pytester, monkeypatch):
    # Else an installed ebbtide would bring the plugin too, and pytest refuses to have it twice.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def written(text, name="pool"):
        pytester.makefile(".formula-test", **{name: text})
        return pytester

    return written


def test_every_case_is_a_test(write):
    result = write(FILE).runpytest_inprocess(*PLUGIN, "-v")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["pool.formula-test::few tasks PASSED*", "pool.formula-test::many tasks FAILED*"])


def test_a_failure_is_the_difference_and_its_place(write):
    result = write(FILE).runpytest_inprocess(*PLUGIN)
    result.stdout.fnmatch_lines(
        [
            "pool.formula-test:11: expect $TargetDedicatedNodes == 7",
            "  - $TargetDedicatedNodes == 7",
            "  + $TargetDedicatedNodes = 3",
            "    $TargetDedicatedNodes = n (7) > 3 ? 3 : n",
        ]
    )
    assert "Traceback" not in result.stdout.str()


def test_the_location_is_the_line_of_the_case(write):
    items, _ = write(FILE).inline_genitems(*PLUGIN)
    assert [(item.name, item.location[:2]) for item in items] == [
        ("few tasks", ("pool.formula-test", 4)),
        ("many tasks", ("pool.formula-test", 8)),
    ]


def test_one_case_can_be_chosen(write):
    write(FILE).runpytest_inprocess(*PLUGIN, "-k", "few").assert_outcomes(passed=1, deselected=1)


def test_cases_of_one_name_are_told_apart(write):
    items, _ = write(GOOD.replace("many tasks", "few tasks")).inline_genitems(*PLUGIN)
    assert [item.name for item in items] == ["few tasks", "few tasks (2)"]


def test_a_file_that_cannot_be_read_is_an_error_with_its_place(write):
    result = write(GOOD.replace("expect", "expct", 1)).runpytest_inprocess(*PLUGIN)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["pool.formula-test:7: a line cannot begin with 'expct'; did you mean expect?"])


def test_other_tests_run_beside(write):
    pytester = write(GOOD)
    pytester.makepyfile(test_it="def test_it(): pass")
    pytester.runpytest_inprocess(*PLUGIN).assert_outcomes(passed=3)


HALF = FILE.split("case many")[0]


@pytest.mark.parametrize(
    ("text", "options", "code", "told"),
    [
        (GOOD, ["--formula-coverage"], 0, "100.0 %  pool.formula-test:2: 2 of 2 branches"),
        (HALF, ["--formula-coverage"], 0, " 50.0 %  pool.formula-test:2: 1 of 2 branches"),
        (HALF, ["--formula-fail-under", "50"], 0, " 50.0 %  of all branches"),
        (HALF, ["--formula-fail-under", "51"], 1, "that is less than 51 %"),
        (FILE, ["--formula-coverage"], 1, "100.0 %  of all branches"),
    ],
)
def test_coverage(write, text, options, code, told):
    result = write(text).runpytest_inprocess(*PLUGIN, *options)
    assert result.ret == code
    result.stdout.fnmatch_lines([told])


def test_nothing_is_told_of_coverage_unasked(write):
    assert "coverage of formulas" not in write(GOOD).runpytest_inprocess(*PLUGIN).stdout.str()


def test_it_works_with_xdist(write):
    pytester = write(FILE)
    result = pytester.runpytest_subprocess(*PLUGIN, "-p", "xdist", "-n2", "--formula-coverage")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["100.0 %  pool.formula-test:2: 2 of 2 branches", "*pool.formula-test::many tasks*"])


def test_the_language_is_loaded_for_case_files_only():
    code = "import sys, service.pytest_plugin; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "service.pytest_plugin" in loaded
    assert not {"formula", "click", "lark"} & set(loaded)
    assert pytest_plugin.SUFFIX == SUFFIX

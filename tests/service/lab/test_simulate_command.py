"""`ebbtide simulate` as it is typed."""

import json
import os
import shlex
import signal
import subprocess

import msgspec
import pytest
from click.testing import CliRunner, Result

from service.cli import main
from service.cli.early_end import interruptible
from service.lab import comparing, virtual_world
from service.lab.outcome import Outcome
from tests.service.stage import COMMAND, PATIENCE

from .small_worlds import scenario_file

SCENARIO = """
name: two hours
workload: {generate: {rate: 60, duration: PT4M, for: PT2H}}
world: {boot: PT90S, pricePerHour: {dedicated: 3.6}, quota: {lowPriority: 0}}
formulas:
  - pending.formula
  - $TargetDedicatedNodes = 8;
"""
PENDING = "$TargetDedicatedNodes = min(20, max(0, $PendingTasks.GetSample(1)));\n"


@pytest.fixture
def scenario(tmp_path):
    return scenario_file(tmp_path, "hours.yaml", SCENARIO, pending=PENDING)


def simulate(*words: object) -> Result:
    return CliRunner().invoke(main, ["simulate", *map(str, words)])


def test_a_table_with_the_bounds_beside(scenario):
    told = simulate(scenario)
    assert told.exit_code == 0, told.output
    head, *lines = told.stdout.splitlines()
    assert head.split("  ")[-1] == "[Work alone]" and "pending" in head and "formula 2" in head
    rows = {line[:26].strip(): line for line in lines}
    assert {"Cost", "Node-hours idle", "95 % wait at most", "Evictions"} <= set(rows)
    assert " 1.00×" in rows["Cost / optimum"]


def test_as_wide_as_the_terminal(scenario, monkeypatch):
    whole = simulate(scenario).stdout
    monkeypatch.setenv("COLUMNS", "80")
    narrow = simulate(scenario).stdout
    assert max(map(len, whole.splitlines())) > 80 >= max(map(len, narrow.splitlines()))
    assert [line[:24] for line in whole.splitlines()[1:]] == [line[:24] for line in narrow.splitlines()[2:]]


def test_figures_as_json(scenario):
    told = json.loads(simulate(scenario, "--json").stdout)
    assert [run["formula"] for run in told["runs"]] == ["pending", "formula 2"]
    assert set(told["bounds"]) == {"optimum", "breakEven", "workAlone"}
    pending, fixed = told["runs"]
    assert pending["tasks"] == fixed["tasks"] > 60
    wanted = {"mean", "p50", "p95", "p99", "max"}
    assert set(pending["wait"]) == wanted and pending["wallSeconds"] > 0
    # 8 nodes, until three evaluations after the last task
    assert fixed["cost"] == pytest.approx(fixed["nodeSeconds"] * 0.001) and fixed["peakNodes"] == 8


def test_given_formulas_take_the_place_of_those_of_the_scenario(scenario):
    path = scenario.parent / "pending.formula"
    told = json.loads(simulate(scenario, "--json", "--formula", "$TargetDedicatedNodes = 3;", "--formula", path).stdout)
    peaks = {run["formula"]: run["peakNodes"] for run in told["runs"]}
    assert list(peaks) == ["formula 1", "pending"] and peaks["formula 1"] == 3 < peaks["pending"]


def test_a_formula_that_sets_no_target_is_told(scenario):
    told = simulate(scenario, "--formula", "x = 1;", "--formula", "$TargetDedicatedNodes = 0;")
    assert told.exit_code == 0
    warned = "warning: formula 1: F501: the formula sets no target: it never changes the pool; assign "
    assert next(line for line in told.stderr.splitlines() if "F501" in line).startswith(warned)
    assert "formula 2: F501" not in told.stderr


def test_another_seed(scenario):
    seeds = ((), ("--seed", 1), ("--seed", 2))
    one, same, other = (json.loads(simulate(scenario, "--json", *seed).stdout) for seed in seeds)
    for told in (one, same, other):
        for run in told["runs"]:
            del run["wallSeconds"]
    assert one == same != other


def test_what_is_written(scenario, tmp_path):
    out = tmp_path / "a" / "report"
    told = simulate(scenario, "--out", out)
    assert told.exit_code == 0 and f"report: {out / 'report.html'}" in told.stderr
    outcome = msgspec.json.decode((out / "outcome.json").read_bytes(), type=Outcome)
    assert [run.figures.formula for run in outcome.runs] == ["pending", "formula 2"]
    assert outcome.scenario.stopped_at is None and outcome.scenario.name == "two hours"
    assert "<!doctype html>" in (out / "report.html").read_text(encoding="utf-8").lower()


def test_the_report_comes_also_if_nobody_hears_the_figures(scenario, tmp_path):
    out = tmp_path / "out"
    code = f"{shlex.join([*COMMAND, 'simulate', str(scenario), '--out', str(out)])} | true; exit ${{PIPESTATUS[0]}}"
    run = subprocess.run(["bash", "-c", code], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (run.returncode, run.stderr) == (0, f"report: {out / 'report.html'}\n")
    assert (out / "report.html").stat().st_size > 10_000


def test_runs_that_failed_are_told(scenario):
    text = "x = 0; $TargetDedicatedNodes = 1 / x;"
    told = simulate(scenario, "--formula", text, "--formula", scenario.parent / "pending.formula")
    (line,) = told.stderr.splitlines()
    assert line.startswith("warning: formula 1: ") and "runs failed; run 1: " in line and "division by zero" in line
    rows = {line[:26].strip(): line.split() for line in told.stdout.splitlines()}
    assert rows["Autoscale runs failed"][-1] == "0" and int(rows["Autoscale runs failed"][-2]) > 20


def test_tasks_that_will_never_be_done_are_told(scenario):
    """Their nodes come up after all patience is over."""
    scenario.write_text(SCENARIO.replace("PT90S", "P40D"), encoding="utf-8")
    told = simulate(scenario, "--json", "--formula", "$TargetDedicatedNodes = 8;")
    left = json.loads(told.stdout)["runs"][0]["unfinished"]
    why = f"{left} tasks did not end: for a day or more nothing became of any, and none was at a node"
    assert left > 50 and f"warning: formula 1: {why}" in told.stderr.splitlines()


@pytest.mark.parametrize("command", ["simulate", "tune"])
def test_who_hears_no_warnings_has_the_figures(scenario, command):
    """Standard error is closed."""
    tune = "--formula", "a = 1; $TargetDedicatedNodes = a;", "--param", "a=1:3", "--trials", "1"
    words = (*COMMAND, command, str(scenario), "--json", *(tune if command == "tune" else ()))
    line = f"{shlex.join(words)} 2>&-"
    told = subprocess.run(["sh", "-c", line], stdout=subprocess.PIPE, text=True, timeout=PATIENCE, check=True)
    assert json.loads(told.stdout)


def test_more_nodes_than_the_cloud_has_are_told(scenario, monkeypatch):
    """Whoever asks for all the nodes of the world is no reason to fill the memory of this machine."""
    monkeypatch.setattr(virtual_world, "MOST_NODES", 30)
    monkeypatch.setattr("service.lab.scenario.MOST_NODES", 30)
    formula = "$TargetDedicatedNodes = 1000000000; $TargetLowPriorityNodes = 99;"
    told = simulate(scenario, "--json", "--formula", formula)
    assert json.loads(told.stdout)["runs"][0]["peakNodes"] == 30
    assert "asked for 1,000,000,000 dedicated nodes; the simulated cloud has 30" in told.stderr
    assert "low-priority" not in told.stderr, "that quota is the scenario's"


def test_ctrl_c_ends_it_with_a_report(scenario, tmp_path, monkeypatch):
    whole = comparing.compared

    def pressed_at_once(name, spec, workload, formulas, ticks, stopped):
        def press(number: int, seconds: float) -> bool:
            os.kill(os.getpid(), signal.SIGINT)
            return stopped(number, seconds)

        return whole(name, spec, workload, formulas, ticks, press)

    monkeypatch.setattr(comparing, "compared", pressed_at_once)
    told = simulate(scenario, "--out", tmp_path / "out")
    assert told.exit_code == 130 and "Ctrl-C once more" in told.stderr
    outcome = msgspec.json.decode((tmp_path / "out" / "outcome.json").read_bytes(), type=Outcome)
    (run,) = outcome.runs
    assert outcome.scenario.stopped_at == run.series.end > 0
    assert run.figures.unfinished == outcome.scenario.tasks - run.figures.tasks > 0
    assert "stopped early: pending after" in told.stderr and told.stderr.endswith("; not simulated: formula 2\n")
    rows = {line[:26].strip(): line.split() for line in told.stdout.splitlines()}
    assert rows["Cost / optimum"][3] == "–"  # of a part of the work
    assert "Stopped early" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


@pytest.fixture
def heeded():
    """Where tests work in the background, a shell has them ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_twice_leaves_at_once(heeded):
    with pytest.raises(KeyboardInterrupt), interruptible("") as interrupted:
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupted()
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


WRONG = {
    "no such file": (("nowhere.yaml",), "nowhere.yaml"),
    "a picture beside nothing": (("SCENARIO", "--png"), "--out DIR"),
    "a formula that cannot be read": (("SCENARIO", "--formula", "$TargetDedicatedNodes = ;"), "formula 1"),
    "a file that is not there": (("SCENARIO", "--formula", "none.formula"), "none.formula"),
    "no formula": (("SCENARIO", "--formula", " "), "--formula: is empty"),
    "a negative seed": (("SCENARIO", "--seed", "-1"), "--seed"),
}


@pytest.mark.parametrize("name", WRONG)
def test_bad_input(scenario, name):
    words, said = WRONG[name]
    told = simulate(*(scenario if word == "SCENARIO" else word for word in words))
    assert told.exit_code == 2 and said in told.stderr, told.output


def test_a_scenario_without_formulas(scenario):
    scenario.write_text(SCENARIO.partition("formulas:")[0], encoding="utf-8")
    told = simulate(scenario)
    assert told.exit_code == 2 and "--formula FILE" in told.stderr

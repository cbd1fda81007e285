"""`ebbtide tune` as it is typed."""

import json
import os
import re
import signal

import pytest
from click.testing import CliRunner, Result

from formula.constants import constants
from service.cli import main
from service.lab.tuning import searching

from ..small_worlds import scenario_file

SCENARIO = """
name: two hours
workload: {generate: {rate: 60, duration: PT4M, for: PT2H}}
world: {boot: PT90S, pricePerHour: {dedicated: 3.6}, quota: {lowPriority: 0}}
formulas: [pool.formula]
"""
FORMULA = """// no more than these
most = 20;   // nodes
share = 1;  window = 2 * TimeInterval_Minute;
tasks = max(0, $PendingTasks.GetSample(window, 1));
$TargetDedicatedNodes = min(most, ceil(tasks * share));
$NodeDeallocationOption = taskcompletion;
"""
FEW = ("--param", "most=1:12", "--param", "share=0.5:1.5", "--trials", "10")


@pytest.fixture
def scenario(tmp_path):
    return scenario_file(tmp_path, "hours.yaml", SCENARIO, pool=FORMULA)


def tune(*words: object) -> Result:
    return CliRunner().invoke(main, ["tune", *map(str, words)])


def test_the_front_as_a_table(scenario):
    told = tune(scenario, *FEW, "--p95", "PT10M", "--jobs", "1")
    assert told.exit_code == 0, told.output
    first, limit, checked, *lines = told.stdout.splitlines()
    assert first == "pool on two hours: 10 trials, seed 1"
    assert limit == "Limit: 95 % wait at most 10.0 min" and checked.endswith("with seed 2")
    labels = {line[:8].strip() for line in lines}
    assert {"tuned", "as it is"} <= labels
    assert any("% cheaper than the formula as it is; on the check" in line for line in lines)


@pytest.mark.slow
def test_any_number_of_jobs_finds_the_same_byte_for_byte(scenario, tmp_path):
    told = [tune(scenario, *FEW, "--json", "--jobs", jobs) for jobs in (1, 2, 1)]
    assert told[0].exit_code == 0 and told[0].stdout == told[1].stdout == told[2].stdout
    assert tune(scenario, *FEW, "--json", "--jobs", 2, "--seed", 2).stdout != told[0].stdout


def test_what_json_tells(scenario):
    found = json.loads(tune(scenario, *FEW, "--json", "--jobs", 1).stdout)
    trials = {each["number"]: each for each in found["trials"]}
    assert sorted(trials) == list(range(11)) and trials[0]["values"] == {"most": 20, "share": 1}
    # without a limit: as long as tasks wait now
    limit = trials[0]["searched"]["wait"]["p95"]
    assert found["limits"] == {"p95": limit} and found["asItIs"] is True
    best = trials[found["best"]]
    kept = [each for each in trials.values() if each["searched"]["wait"]["p95"] <= limit]
    assert best["searched"]["cost"] == min(each["searched"]["cost"] for each in kept)
    front = [trials[number] for number in found["front"]]
    costs = [each["searched"]["cost"] for each in front]
    waits = [each["searched"]["wait"]["p95"] for each in front]
    assert costs == sorted(costs) and waits == sorted(waits, reverse=True)
    assert all(each["checked"] for each in (*front, best, trials[0]))
    for each in list(trials.values())[1:]:
        assert 1 <= each["values"]["most"] <= 12 and isinstance(each["values"]["most"], int)
    assert found["checkSeed"] == 2 and found["checkedFrom"] is None and found["stopped"] is False


@pytest.mark.slow
def test_what_is_written(scenario, tmp_path):
    out = tmp_path / "a" / "tuned"
    told = tune(scenario, *FEW, "--out", out, "--p95", 600, "--jobs", 1, "--json")
    assert told.exit_code == 0, told.output
    found = json.loads((out / "tuning.json").read_bytes())
    assert found == json.loads(told.stdout) and found["best"]
    values = found["trials"][found["best"]]["values"]
    written = (out / "tuned.formula").read_text(encoding="utf-8")
    assert {name: constants(written)[name].value for name in values} == values
    most, share = (written.split(f"{name} = ")[1].split(";")[0] for name in ("most", "share"))
    assert written == FORMULA.replace("most = 20", f"most = {most}").replace("share = 1;", f"share = {share};")
    outcome = json.loads((out / "outcome.json").read_bytes())
    runs = {run["figures"]["formula"]: run["figures"] for run in outcome["runs"]}
    assert list(runs)[:2] == ["as it is", "tuned"]
    # what the report shows of the tuned formula is what the search found
    assert runs["tuned"]["cost"] == found["trials"][found["best"]]["searched"]["cost"]
    assert "<!doctype html>" in (out / "report.html").read_text(encoding="utf-8").lower()


def test_no_trial_within_the_limit(scenario, tmp_path):
    out = tmp_path / "out"
    told = tune(scenario, "--param", "most=1:3", "--p95", "PT1S", "--jobs", 1, "--out", out)
    assert told.exit_code == 1
    assert "no trial keeps the limit (95 % wait at most 1 s); at best 95 % wait at most" in told.stderr
    assert "as it is" in told.stdout and "tuned" not in told.stdout
    assert not (out / "tuned.formula").exists() and (out / "tuning.json").exists()


@pytest.mark.parametrize(
    ("rest", "cure"),
    [
        ("$TargetDedicatedNodes = n;", "Try other ranges, or another formula"),
        ("$TargetDedicatedNodes = n / 0;", r"There ([\d,]+) of \1 autoscale runs failed; run 1: .*[Dd]ivi"),
        ("x = n;", "F501: the formula sets no target: it never changes the pool; assign "),
    ],
)
def test_values_with_which_tasks_do_not_end(scenario, rest, cure):
    words = ("--formula", f"n = 0; {rest}", "--param", "n=-5:-1", "--p95", "PT1H", "--trials", 3, "--jobs", 1)
    told = tune(scenario, *words)
    assert told.exit_code == 1
    assert re.search(rf"with none of the values all tasks end; at best \d+ do not\. {cure}", told.stderr), told.stderr


def test_who_fits_too_closely_is_told(scenario):
    """A limit that the search just keeps, and other tasks do not."""
    words = (scenario, "--formula", "most = 9; $TargetDedicatedNodes = most;", "--param", "most=2:8", "--jobs", 1)
    trials = json.loads(tune(*words, "--p95", "PT1H", "--json").stdout)["trials"][1:]
    waits = [(each["searched"]["wait"]["p95"], each["checked"]["wait"]["p95"]) for each in trials if each["checked"]]
    close = [searched for searched, checked in waits if searched < checked]
    assert close, "another seed for this test"
    told = tune(*words, "--p95", close[0])
    assert told.exit_code == 0 and " !" in told.stdout
    assert "has been fitted too closely: on tasks that the search has not seen 95 % wait" in told.stderr
    assert "keeps the limit there too: most = " in told.stderr


def test_ctrl_c_gives_what_was_found(scenario, tmp_path, monkeypatch):
    monkeypatch.setattr(searching, "BATCH", 2)
    whole = searching.Search._take

    def pressed(self, proposals, trial):
        whole(self, proposals, trial)
        if trial.number == 4:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(searching.Search, "_take", pressed)
    out = tmp_path / "out"
    told = tune(scenario, *FEW, "--p95", "PT30M", "--jobs", 1, "--out", out)
    assert told.exit_code == 130 and "Ctrl-C once more" in told.stderr
    assert "4 trials (stopped early)" in told.stdout
    found = json.loads((out / "tuning.json").read_bytes())
    assert found["stopped"] and len(found["trials"]) == 5 and found["best"] is not None
    assert not any(each["checked"] for each in found["trials"])
    assert (out / "tuned.formula").exists() and (out / "report.html").exists()


WRONG = {
    "no such file": (("nowhere.yaml", "--param", "a=1:2"), "nowhere.yaml"),
    "nothing to search": (("SCENARIO",), "--param"),
    "no constant": (("SCENARIO", "--param", "least=1:2"), "least is no constant of pool: it is assigned nowhere"),
    "computed": (("SCENARIO", "--param", "tasks=1:2"), "it is computed in line 4; these are: most (20), share (1)"),
    "the wrong way round": (("SCENARIO", "--param", "most=9:3"), "9 is not less than 3"),
    "no duration": (("SCENARIO", "--param", "most=1:3", "--p95", "soon"), "--p95"),
    "a negative time": (("SCENARIO", "--param", "most=1:3", "--longest", "-1"), "--longest"),
    "a picture beside nothing": (("SCENARIO", "--param", "most=1:3", "--png"), "--out DIR"),
    "held out of what is no trace": (("SCENARIO", "--param", "most=1:3", "--held-out", "0.5"), "another seed"),
    "a formula with an error": (("SCENARIO", "--formula", "a = ;", "--param", "a=1:3"), "formula 1"),
}


@pytest.mark.parametrize("name", WRONG)
def test_bad_input(scenario, name):
    words, said = WRONG[name]
    told = tune(*(scenario if word == "SCENARIO" else word for word in words))
    assert told.exit_code == 2 and said in told.stderr, told.output


def test_a_scenario_that_names_several_formulas(scenario):
    scenario.write_text(SCENARIO.replace("[pool.formula]", "[pool.formula, $TargetDedicatedNodes = 2;]"), "utf-8")
    told = tune(scenario, "--param", "most=1:3")
    assert told.exit_code == 2 and "names 2 formulas (pool, formula 2); say which" in told.stderr

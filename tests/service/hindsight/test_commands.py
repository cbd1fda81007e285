"""`ebbtide history`, `why` and `replay`: the same words over a state and over its server."""

import csv
import io
import json
import os
import re
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from formula import PoolValues
from pools import Change, RandomIds, RecordedRun
from runner import open_journal
from service.cli import main
from service.iso8601 import format_exactly, format_instant
from service.state import StateDirectory

from ..served import Served, ebbtide
from .pasts import FORMULAS, START, Told, spec

#: An hour for each of these.
FIRST, THEN = FORMULAS["window"], FORMULAS["now and then too few"]


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory(prefix="ebbtide-") as made:
        os.chmod(made, 0o755)
        yield Path(made)


@pytest.fixture(scope="module")
def past(folder):
    """A pool that has gone, "p", one without a formula, "m", and one whose only run is of an earlier version, "old"."""
    directory = StateDirectory(folder / "state")
    directory.create(RandomIds().new)
    directory.key.make(nodes=0)
    journal = open_journal(directory.database_url)
    told = Told(journal, seed=5)
    told.add(spec(FIRST))
    told.live(1)
    told.pools.rescale(spec(THEN), told.now)
    told.live(2)
    told.pools.delete("p", told.now)
    told.live(0.5)
    manual = Told(journal, seed=4)
    manual.add(spec(None, "m"))
    manual.live(0.5)
    manual.pools.delete("m", manual.now)
    manual.live(0.5)
    journal.commit([Change("autoscale_runs", ("old", START), RecordedRun("old", START, "$TargetDedicatedNodes=1"))])
    assert (journal.pools(), journal.nodes()) == ([], [])
    yield journal
    journal.close()


@pytest.fixture(scope="module", params=["state", "server"])
def place(request, folder, past):
    """Asks, with what says where."""
    if request.param == "state":
        yield lambda *words, stdin=None: ask([*words, "--state", str(folder / "state")], {}, stdin)
        return
    (folder / "settings.yaml").write_text("sampleRetention: P10000D\n")
    server = Served(folder, "--config", str(folder / "settings.yaml"))
    try:
        lines = server.ready().lines
        yield lambda *words, stdin=None: ask(words, {k: v for k, v in lines.items() if k.startswith("AZURE")}, stdin)
    finally:
        server.close()
        ebbtide("down", state=server.state)


def ask(words, variables, stdin):
    none = dict.fromkeys(("AZURE_BATCH_ENDPOINT", "AZURE_BATCH_ACCOUNT", "AZURE_BATCH_ACCESS_KEY"))
    return CliRunner().invoke(main, list(words), input=stdin, env=none | variables)


def shown(instant):
    return f"{format_instant(instant)[:19]}Z"


ALL = ("--from", format_exactly(START - 1), "--to", format_exactly(START + 4 * 3600))


# -- history ----------------------------------------------------------------------------------------------------


def test_history_tells_every_run_and_what_followed(place, past):
    runs = list(past.past.runs("p", 0, 1e10))
    out = place("history", "p", "--all", *ALL)
    assert out.exit_code == 0, out.output
    lines = out.stdout.splitlines()
    for run in runs:
        assert any(line.startswith(shown(run.timestamp)) for line in lines)
    failed = [line for line in lines if "failed: InsufficientSampleData" in line]
    assert len(failed) == sum(run.error is not None for run in runs) > 0
    steps = [run for run in runs if run.pool.target_dedicated != run.target_dedicated]
    for run in steps:
        step = f"{int(run.pool.target_dedicated)} -> {run.target_dedicated} dedicated"
        assert any(line.startswith(f"{shown(run.timestamp)}  {step}") for line in lines)
    ordered = re.findall(r"    ordered (?:a|\d+) dedicated nodes?", out.stdout)
    created = [each for found in past.past.passes("p", 0, 1e10) for each in found.actions if each.action == "create"]
    assert len(ordered) == len(created) > 0
    assert "goes by no nodes: the pool is being deleted" in lines[-2]
    assert len(place("history", "p", *ALL).stdout.splitlines()) < len(lines)


def test_history_as_json_is_what_the_api_answers(place, past):
    found = json.loads(place("history", "P", *ALL, "--json").stdout)
    runs = list(past.past.runs("p", 0, 1e10))
    assert [run["timestamp"] for run in found["runs"]] == [format_exactly(run.timestamp) for run in runs]
    assert {run["autoScaleFormula"] for run in found["runs"]} == {FIRST, THEN}
    assert len(found["passes"]) == len(list(past.past.passes("p", 0, 1e10)))
    assert all(each["nodeIds"] for one in found["passes"] for each in one.get("actions", ()))


def test_history_of_a_time_without_any(place):
    out = place("history", "p", "--from", "2020-01-01", "--to", "2020-01-02")
    assert out.stdout.startswith("nothing happened in that time; runs are recorded from ")
    assert "no run of a formula is recorded" in place("history", "m", "--from", "2020", "--to", "2021").stdout


# -- why --------------------------------------------------------------------------------------------------------


def test_why_tells_the_statements_of_the_run_that_held(place, past):
    run = list(past.past.runs("p", 0, 1e10))[7]
    out = place("why", "p", "--at", shown(run.timestamp))
    assert out.exit_code == 0, out.output
    assert f"pool p at {shown(run.timestamp)}" in out.stdout
    assert f"its formula was evaluated at {shown(run.timestamp)[11:19]}" in out.stdout
    assert "$PendingTasks " in out.stdout
    assert "of 10 samples" in out.stdout
    assert f"      = {run.target_dedicated}" in out.stdout
    assert "told again" not in out.stdout
    assert "what the planner did then, and why" in out.stdout


def test_why_of_a_run_that_failed(place, past):
    run = next(run for run in past.past.runs("p", 0, 1e10) if run.error is not None)
    out = place("why", "p", "--at", shown(run.timestamp)).stdout
    assert "and failed: InsufficientSampleData" in out
    assert f"so the targets stayed as they were: {run.target_dedicated or 'no'}" in out
    assert "failed: InsufficientSampleData: Autoscale evaluation" in out


def test_the_time_that_is_named_for_the_last_change_leads_to_it(place, past):
    last = place("why", "p", "--at", format_exactly(START + 3600)).stdout
    named = re.findall(r"the last run that changed a target was at (\S+):", last)
    if not named:
        named = re.findall(r"evaluated at ([\d:]+): \d+ -> \d+", last)
        named = [f"{format_instant(START)[:11]}{named[0]}Z"]
    found = place("why", "p", "--at", named[0]).stdout
    assert re.search(r"its formula was evaluated at [\d:]+: \d+ -> \d+", found)


def test_why_of_a_pool_that_somebody_sized(place):
    out = place("why", "m", "--at", format_exactly(START + 600)).stdout
    assert "  target  2 dedicated: it was asked for (since " in out
    assert "formula" not in out
    assert "ordered 2 dedicated nodes: target 2 dedicated, present 0" in out
    assert "the pool is being deleted" in place("why", "m", "--at", format_exactly(START + 3600)).stdout


def test_why_before_anything_was_kept(place):
    out = place("why", "p", "--at", "2020-01-01")
    first = f"nothing is recorded of it from so early: the first record of it is of {shown(START)}"
    assert (out.exit_code, out.stdout.splitlines()[1]) == (0, first)


def test_why_after_the_last_record_tells_no_old_sample_as_what_the_pool_has(place):
    told = place("why", "p").stdout
    assert "the pool has gone" in told.splitlines()[1]
    assert "  nodes   no nodes any more; at " in told


def test_why_of_a_run_of_an_earlier_version(place):
    out = place("why", "old", "--at", format_exactly(START + 1)).stdout
    assert "how it came to that is not told: an earlier version of ebbtide recorded it" in out


def test_why_as_json(place, past):
    run = list(past.past.runs("p", 0, 1e10))[3]
    found = json.loads(place("why", "p", "--at", format_exactly(run.timestamp), "--json").stdout)
    assert found["run"]["timestamp"] == format_exactly(run.timestamp)
    assert found["explanation"]["alike"] is True
    assert [each["outcome"] for each in found["explanation"]["statements"]] == ["done"]
    assert set(found) == {
        *("poolId", "at", "sample", "plannerPass", "since", "run", "explanation", "lastChange", "passes", "unrecorded")
    }
    assert found["unrecorded"] is None


# -- replay -----------------------------------------------------------------------------------------------------


def test_its_own_formula_decides_the_same(place, past):
    """Of a pool that has gone: the last one that it had."""
    begin = next(run for run in past.past.runs("p", 0, 1e10) if run.formula == THEN)
    out = place("replay", "p", "--from", format_exactly(begin.timestamp))
    assert re.search(r"^it decides the same in all \d+$", out.stdout, re.M), out.output


def test_another_formula(place, past, tmp_path):
    file = tmp_path / "other.formula"
    file.write_text("$TargetDedicatedNodes = 1;")
    runs = list(past.past.runs("p", 0, 1e10))
    different = sum(run.target_dedicated != 1 for run in runs)
    out = place("replay", "p", "--formula", str(file), "--price-per-hour", "2").stdout
    assert out.startswith(f"pool p: {len(runs)} evaluations from {shown(runs[0].timestamp)} to ")
    assert f"it decides otherwise in {different} of {len(runs)}:" in out
    figures = next(line.split() for line in out.splitlines() if line.startswith("replayed"))
    hours, low_priority, peak, zero, resizes, failed, cost = map(float, figures[1:])
    assert (low_priority, peak, zero, resizes, failed) == (0, 1, 0, 0, 0)
    assert cost == pytest.approx(2 * hours, rel=0.01)
    file.write_text("$TargetLowPriorityNodes = 1;")
    out = place("replay", "p", "--formula", str(file), "--price-per-hour", "2").stdout
    assert re.search(r"^replayed .* unknown$", out, re.M), out
    assert "the cost of low-priority nodes is not known: say --low-priority-price" in out.splitlines()
    file.write_text("$TargetDedicatedNodes = 1;")
    rows = list(csv.DictReader(io.StringIO(place("replay", "p", "--formula", str(file), "--csv").stdout)))
    assert [int(row["recordedDedicated"]) for row in rows] == [run.target_dedicated for run in runs]
    assert {row["dedicated"] for row in rows} == {"1"}
    found = json.loads(place("replay", "p", "--formula", "-", "--json", stdin=file.read_text()).stdout)
    assert (found["different"], len(found["evaluations"])) == (different, len(runs))
    assert found["recorded"]["peakNodes"] == max(run.target_dedicated for run in runs)


def test_a_pool_without_a_formula_is_asked_at_even_times(place, tmp_path):
    file = tmp_path / "other.formula"
    file.write_text("$TargetDedicatedNodes = min(3, max($PendingTasks.GetSample(1)));")
    every = place("replay", "m", "--formula", str(file), "--csv").stdout.splitlines()
    often = place("replay", "m", "--formula", str(file), "--every", "PT1M", "--csv").stdout.splitlines()
    assert 4 * len(every) < len(often) < 6 * len(every)
    assert every[2].split(",")[4] == "2"
    assert place("replay", "m", "--formula", str(file), "--to", "2020").exit_code == 1


def test_what_follows_from_decisions_is_said(place, tmp_path):
    file = tmp_path / "other.formula"
    file.write_text("$TargetDedicatedNodes = min(4, $TargetDedicatedNodes + 1);")
    hint = "the formula reads $TargetDedicatedNodes, as they were recorded"
    assert hint in place("replay", "p", "--formula", str(file)).stdout
    followed = place("replay", "p", "--formula", str(file), "--follow")
    assert hint not in followed.stdout
    rows = place("replay", "p", "--formula", str(file), "--follow", "--csv").stdout.splitlines()[1:]
    assert [row.split(",")[1] for row in rows[:6]] == ["1", "2", "3", "4", "4", "4"]


# -- bad input --------------------------------------------------------------------------------------------------

BAD = {
    ("history", "none"): (1, "PoolNotFound"),
    ("why", "none"): (1, "PoolNotFound"),
    ("replay", "none"): (1, "PoolNotFound"),
    ("why", "."): (1, "names nothing"),
    ("why", "p", "--at", "yesterday"): (2, "'yesterday' is no time"),
    ("why", "p", "--at", "25:00"): (2, "'25:00' is no time"),
    ("why", "p", "--at", "PT"): (2, "'PT' is no time"),
    ("why", "p", "--at", "2199-01-01"): (2, "'2199-01-01' is in the future"),
    ("history", "p", "--from", "2026-02-01", "--to", "2026-01-01"): (2, "is later than --to"),
    ("replay", "p", "--every", "PT0S"): (2, "must be longer than nothing"),
    ("replay", "p", "--every", "PT0.000001S"): (2, "evaluations are too many"),
    ("replay", "p", "--every", "5 minutes"): (2, "is no ISO 8601 duration"),
    ("replay", "p", "--formula", "/nowhere.formula"): (2, "cannot be read"),
    ("replay", "m"): (2, "has no formula of its own; name one: --formula FILE"),
    ("replay", "p", "--given", "a=1"): (2, "are about the file of --formula"),
    ("replay", "p", "--csv", "--json"): (2, "choose one of --json and --csv"),
    ("replay", "p", "--price-per-hour", "inf"): (2, "finite numbers"),
}


@pytest.mark.parametrize("words", BAD)
def test_bad_input_is_told_with_its_cure(place, words):
    code, text = BAD[words]
    out = place(*words)
    assert out.exit_code == code, out.output
    assert text in out.stderr
    assert "Traceback" not in out.output


def test_a_formula_that_does_not_parse_names_the_place(place):
    out = place("replay", "p", "--formula", "-", stdin="$TargetDedicatedNodes = ;")
    assert out.exit_code == 2
    assert "<stdin>:1:" in out.stderr


def test_what_a_terminal_would_act_on_is_not_printed(past, folder):
    formula = "$TargetDedicatedNodes = // \x1b[2J\n 1;"
    bell = RecordedRun("bell", START, "x=\x1b]0;title\x07", formula=formula, pool=PoolValues())
    past.commit([Change("autoscale_runs", ("bell", START), bell)])
    for words in (("history", "bell", *ALL), ("why", "bell", "--at", format_exactly(START))):
        out = ask([*words, "--state", str(folder / "state")], {}, None)
        assert out.exit_code == 0, out.output
        assert not set(out.stdout) & {"\x1b", "\x07"}
    assert "$TargetDedicatedNodes = // \ufffd[2J" in out.stdout

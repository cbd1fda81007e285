"""The real engine in a storm: every fault of clouds, nodes, journal, clock and controller, every command of the API;
all laws hold after every step. `make simulate-faults SEEDS=n` tells more of these stories."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest

from pools import CountingIds
from runner import CoreSettings, Event
from runner import events as ev
from runner import job_events as jev
from runner.core import Core
from runner.reports import Reports
from runner.simulation import DEPLOYMENT

from .storms import mutants
from .storms.caught import catch
from .storms.deeds import DEEDS
from .storms.faults import MOMENTS
from .storms.minimal import shrink, tell, told
from .storms.seeds import ROOT, Ledger, Told, one, several, summary
from .storms.story import Story

SEEDS = 100
#: What a request is that nobody sends here, and why.
ELSEWHERE = {
    ev.Tick: "the engine's own",
    ev.LookAtOutputs: "housekeeping: nodes in memory print nothing while they run",
    jev.ForgetJob: "housekeeping: see test_growth.py",
    jev.JobForgotten: "housekeeping: see test_growth.py",
}
_happened: Counter[str] = Counter()


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The engine says a lot of clocks and disks here."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_law_holds_and_the_work_is_done(seed: int) -> None:
    story = Story(seed)
    story.run()
    _happened.update(each.kind for each in story.incidents)


def test_all_of_it_happened() -> None:
    """In so many stories every kind of fault strikes, and every request is made."""
    if sum(_happened.values()) < 100 * SEEDS:
        pytest.skip("only some of the stories were told in this process")
    wanted = {f"deed/{deed}" for deed in DEEDS} | {f"crash/{moment}" for moment in MOMENTS}
    wanted |= {"journal/failed", "journal/unconfirmed", "journal/read", "reorder", "node-clock", "host-key", "packages"}
    wanted.add("list-part")
    wanted |= {f"call/{method}" for method in ("create", "destroy", "list_owned", "reboot", "console")}
    wanted |= {f"slow/{kind}" for kind in ("call", "list", "connect", "message", "fetch")}
    wanted |= {f"repeat/{kind.__name__}" for kind in (ev.VmCreated, ev.VmsListed, ev.NodeConnected, ev.Outcome)}
    assert wanted - _happened.keys() == set()


def test_every_request_is_made() -> None:
    handled = {kind for kind in _handled() if kind not in ELSEWHERE}
    sent: set[type[Event]] = set()
    for seed in range(40):
        sent |= {type(each.event) for each in told_in_full(seed).sim.requests}
        if handled <= sent:
            return
    assert handled - sent == set()


def _handled() -> set[type[Event]]:
    """The kinds of events that the core takes from somebody who waits for an answer."""
    core = Core(CoreSettings(), DEPLOYMENT, CountingIds())
    reports = Reports(*[Mock() for _ in range(5)]).handlers()
    return core._handlers.keys() - reports.keys() - {ev.TimeLost}


def told_in_full(seed: int) -> Story:
    story = Story(seed)
    story.run()
    return story


def test_the_same_seed_is_the_same_story() -> None:
    first, second = told_in_full(10), told_in_full(10)
    assert [(each.name, each.time) for each in first.incidents] == [(each.name, each.time) for each in second.incidents]
    assert first.sim.journal.tables == second.sim.journal.tables
    assert first.sim.steps == second.sim.steps
    again = Story(10, [each.name for each in first.incidents])
    again.run()
    assert again.sim.journal.tables == first.sim.journal.tables


def test_a_failure_is_told_with_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    mutants.lost_requeue(monkeypatch)
    first = next(telling for telling in map(tell, range(20)) if telling.failure is not None)
    short = shrink(first, retellings=40)
    assert short.law == first.law
    assert len(short.story.incidents) < len(first.story.incidents) / 2
    again = tell(first.story.seed, [each.name for each in short.story.incidents])
    assert again.law == short.law and again.story.sim.journal.tables == short.story.sim.journal.tables
    lines = told(short)
    assert f"--seed {first.story.seed} --only" in lines
    assert all(each.name in lines for each in short.story.incidents)


#: A seed that notices.
NOTICED_BY: dict[mutants.Mutation, int] = {
    mutants.intent_after_effect: 1,
    mutants.answer_before_the_commit: 8,
    mutants.write_table_by_table: 3,
    mutants.lost_executions_are_not_tried_again: 1,
    mutants.double_start: 1,
    mutants.believe_in_damaged_records: 1,
    mutants.ask_back_before_the_node_is_heard: 42,
    mutants.reaper_without_grace: 20,
    mutants.keep_what_is_gone: 1,
    mutants.never_close_the_breaker: 24,
    mutants.wait_for_what_does_not_come_up: 2,
    mutants.keep_what_forgotten_attempts_printed: 1,
}


@pytest.mark.parametrize("mutation", mutants.OWN, ids=lambda mutation: mutation.__name__)
def test_a_broken_build_is_caught(mutation: mutants.Mutation) -> None:
    first = NOTICED_BY.get(mutation, 0)
    assert catch(mutation, sorted(range(500), key=lambda seed: seed != first)).telling is not None


def test_what_was_cut_off_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, said = tmp_path / "told.jsonl", list[int]()
    asked = list[int]()

    def one(seed: int) -> Told:
        asked.append(seed)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return Told(seed, steps=5, kinds={"crash/commit": 1, "api/DeleteJob": 2}, failure="Broken: x" if seed else "")

    monkeypatch.setattr("tests.simulation.storms.seeds.one", one)
    assert not several(range(4), 1, Ledger(file), lambda each: said.append(each.seed))
    for torn in ('{"seed": 2, "st', '{"seed": 2, "kinds": {"crash/commit": 1}', "{"):  # the line was being written
        before = file.read_text()
        file.write_text(before + torn)
        assert sorted(Ledger(file).told) == [0, 1] and file.read_text() == before
    ledger = Ledger(file)
    assert several(range(4), 1, ledger, lambda each: said.append(each.seed))
    assert said == [0, 1, 2, 3] and asked == [0, 1, 2, 2, 3]
    assert sorted(Ledger(file).told) == [0, 1, 2, 3]
    lines = summary(ledger.told.values())
    assert "4 seeds, 20 steps" in lines and "8 requests, 4 faults" in lines and "failed: 1 2 3" in lines
    monkeypatch.setattr("tests.simulation.storms.seeds.fingerprint", lambda: "another")
    with pytest.raises(ValueError, match="of other code"):
        Ledger(file)


@pytest.mark.parametrize("text", ["notes", "notes\n", "[]\n", '{"seed": 1}\n', "notes\nmore"])
def test_a_file_that_is_somebody_elses_stays_as_it_is(tmp_path: Path, text: str) -> None:
    file = tmp_path / "notes"
    file.write_text(text)
    with pytest.raises(ValueError, match="no file of stories"):
        Ledger(file)
    assert file.read_text() == text


def test_a_file_whose_first_line_was_cut_off_begins_anew(tmp_path: Path) -> None:
    file = tmp_path / "told.jsonl"
    Ledger(file)
    whole = file.read_text()
    for length in (0, 1, len(whole) - 1):
        file.write_text(whole[:length])
        assert not Ledger(file).told and file.read_text() == whole


def test_a_run_that_was_killed_goes_on(tmp_path: Path) -> None:
    """The same is told then as if it had not been."""
    file, seeds = tmp_path / "told.jsonl", 4
    options = ("--seeds", str(seeds), "--jobs", "2", "--to", str(file))
    command = [sys.executable, "-m", "tests.simulation", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as cut_off:
        while cut_off.poll() is None and (not file.exists() or file.read_text().count("\n") < 2):
            time.sleep(0.01)
        cut_off.kill()
    before = file.read_bytes()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"{seeds} seeds" in done.stdout and "failed: none" in done.stdout
    assert file.read_bytes().startswith(before[: before.rfind(b"\n") + 1]), "what was told is not told again"
    ledger = Ledger(file)
    assert len(file.read_text().splitlines()) == 1 + seeds
    for seed in range(seeds):
        assert replace(ledger.told[seed], seconds=0.0) == replace(one(seed), seconds=0.0)

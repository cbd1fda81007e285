"""`ebbtide why` at times of which nothing is recorded: no old sample is told as what the pool has then."""

import json
import re
from contextlib import contextmanager

import pytest
from click.testing import CliRunner

from pools import RandomIds
from runner import open_journal
from service.cli import main
from service.iso8601 import format_exactly, format_instant
from service.state import StateDirectory

from .pasts import FORMULAS, START, Told, spec

HOUR = 3600.0
#: Nobody was at work from the end of the first hour until here.
AGAIN = START + 2 * HOUR
END = AGAIN + HOUR


@contextmanager
def lived(folder, gone=False):
    """An hour of a pool, an hour without a controller, another hour, and nothing since; the pool is still there, or was
    deleted in a third hour."""
    directory = StateDirectory(folder / "state")
    directory.create(RandomIds().new)
    journal = open_journal(directory.database_url)
    told = Told(journal, seed=5)
    told.add(spec(FORMULAS["nothing"]))
    told.live(1)
    told.now = AGAIN
    told.live(1)
    assert len(list(told.context.nodes)) == 2
    if gone:
        told.pools.delete("p", told.now)
        told.live(1)
    yield directory, journal
    journal.close()


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    with lived(tmp_path_factory.mktemp("silence")) as found:
        yield found


def why(state, at=None, *more):
    words = ["why", "p", "--state", str(state[0].path), *(() if at is None else ("--at", format_exactly(at))), *more]
    none = dict.fromkeys(("AZURE_BATCH_ENDPOINT", "AZURE_BATCH_ACCOUNT", "AZURE_BATCH_ACCESS_KEY"))
    found = CliRunner().invoke(main, words, env=none)
    assert found.exit_code == 0, found.output
    return found.stdout


def clock(instant):
    return format_instant(instant)[11:19]


@pytest.mark.parametrize("at", [START + 60, START + HOUR, AGAIN + 60, END])
def test_while_a_controller_is_at_work(state, at):
    told = why(state, at)
    assert "nothing is recorded" not in told
    assert re.search(r"^  nodes   2 dedicated, \d usable \(at [\d:]+\)$|^  nodes   no nodes", told, re.M)
    assert json.loads(why(state, at, "--json"))["unrecorded"] is None


def test_while_none_was(state):
    told = why(state, START + 1.5 * HOUR)
    words = re.search(r"^  nothing is recorded from ([\d:]+) until ([\d:]+): no controller was", told, re.M)
    assert words is not None
    since, until = words.groups()
    assert clock(START + HOUR - 31) < since <= clock(START + HOUR)
    assert clock(AGAIN) <= until < clock(AGAIN + 31)
    assert f"  nodes   not known then; at {since} 2 dedicated" in told
    assert f"  tasks   at {since} " in told


def test_since_the_last_one_ended_the_records_say_which_nodes_there_are(state):
    for at in (END + HOUR, None):
        told = why(state, at)
        assert re.search(r"nothing is recorded since \S+: no controller has been at work since$", told, re.M)
        assert "  nodes   2 dedicated now, as the records of its nodes say; at " in told
    found = json.loads(why(state, None, "--json"))["unrecorded"]
    assert (found["until"], found["currentNodes"]) == (None, {"dedicated": 2, "lowPriority": 0})


def test_of_a_pool_that_has_gone_there_is_nothing_now(tmp_path):
    with lived(tmp_path, gone=True) as state:
        told, found = why(state, None), json.loads(why(state, None, "--json"))["unrecorded"]
    assert re.search(r"nothing is recorded since \S+: the pool has gone$", told, re.M)
    assert "  nodes   no nodes any more; at " in told
    assert (found["until"], found["poolCreationTime"], found["currentNodes"]) == (None, None, None)


def test_before_the_pool_was_made_no_setting_is_blamed(state):
    told = why(state, START - HOUR).splitlines()[1]
    assert re.fullmatch(r"the pool was made at (\S+); the first record of it is of \1", told)


def test_what_has_gone_after_the_retention(tmp_path):
    with lived(tmp_path) as state:
        for what in ("samples", "autoscale_runs", "planner_passes"):
            state[1].forgetting.forget_older(what, AGAIN)
        told = why(state, START + 60).splitlines()[1]
    first = f"the first record of it is of {format_instant(AGAIN)[:17]}"
    assert told.startswith(f"nothing is kept of it from so early: {first}")
    assert told.endswith("; older ones go after the setting sampleRetention")

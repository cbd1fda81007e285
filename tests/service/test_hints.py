"""Commands that texts propose can be pasted: they name the state that is worked on."""

import io
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from runner import open_journal
from runner.states import JobState
from service.cli import main
from service.hints import OF_A_STATE, pasteable
from service.state import StateDirectory
from service.views import Line, Pump, Timeline
from service.views.line import Remark
from service.views.plain import PlainView
from service.views.tally import Tally
from tests.runner.store.records import NOW, job, put


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see `ebbtide logs j t`, it tells", "see `ebbtide logs j t --state /a`, it tells"),
        ("`ebbtide status`, `ebbtide pool list`", "`ebbtide status --state /a`, `ebbtide pool list --state /a`"),
        ("`ebbtide down --state /b`", "`ebbtide down --state /b`"),
        ("the next `ebbtide run`", "the next `ebbtide run`"),
        ("`ebbtide formula docs`", "`ebbtide formula docs`"),
        ("ebbtide status", "ebbtide status"),
    ],
)  # fmt: skip
def test_the_state_is_named_where_one_is_asked(text, shown):
    assert pasteable(text, Path("/a")) == shown
    assert pasteable(text, Path(".ebbtide")) == pasteable(text, Path("./.ebbtide")) == pasteable(text, None) == text


def test_a_path_with_blanks_is_quoted():
    assert pasteable("`ebbtide status`", Path("/my state")) == "`ebbtide status --state '/my state'`"


def leaves(command):
    if isinstance(command, click.Group):
        return [leaf for each in command.commands.values() for leaf in leaves(each)]
    return [command]


@pytest.mark.parametrize("name", OF_A_STATE)
def test_these_take_a_state(name):
    for leaf in leaves(main.commands[name]):
        assert "--state" in [option for parameter in leaf.params for option in parameter.opts], leaf.name


def test_lines_of_a_run_name_it_and_what_tasks_print_is_left_alone():
    stream = io.StringIO()
    view = PlainView(stream, 100.0, colour=False)
    pump = Pump(Timeline(Tally(100.0)), view, lambda: 100.0, lambda text: pasteable(text, Path("/a")))
    text = "see `ebbtide status`"
    pump.say(Line(100.0, "tasks", text, detail=(Remark(text), text)))
    pump._beat()
    assert [line.partition("see ")[2] for line in stream.getvalue().splitlines()] == [
        "`ebbtide status --state /a`", "`ebbtide status --state /a`", "`ebbtide status`",
    ]  # fmt: skip


def test_errors_of_commands_name_it(tmp_path):
    directory = StateDirectory(tmp_path / "my state")
    directory.create(lambda: "0123456789ab")
    journal = open_journal(directory.database_url)
    journal.commit([put(job(state=JobState.COMPLETED, end_time=NOW))])
    journal.close()
    run = CliRunner().invoke(main, ["task", "show", "job", "none", "--state", str(directory.path)])
    assert run.exit_code == 1
    assert f"`ebbtide task list job --state '{directory.path}'` lists them" in run.stderr

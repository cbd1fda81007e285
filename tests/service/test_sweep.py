"""Rows of a CSV file as commands: values stay what they are, whatever they hold."""

import csv
import io
import shlex
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner import split_command_line
from service.sweep import Sweep, SweepError, filled, read_sweep

#: What an argument and a variable may hold.
VALUES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


def test_a_table():
    sweep = read_sweep('n,learning rate,3d\n1,"a,b",\n\n2,"c\nd"," ""q"" "\n', "s.csv")
    assert sweep.columns == ("n", "learning rate", "3d")
    assert sweep.variables == ("n", "learning_rate", "_3d")
    assert sweep.rows == (("1", "a,b", ""), ("2", "c\nd", ' "q" '))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "s.csv: is empty"),
        ("\n\n", "s.csv: is empty"),
        ("a,b\n", "s.csv: holds no row but the headings"),
        ("a,b\n1\n", "s.csv:2: 1 values, and there are 2 columns"),
        ('a\n"1\n2"\n3,4\n', "s.csv:4: 2 values, and there are 1 columns"),
        ('a\n"1" x\n', "s.csv:2: is no CSV"),
        ('a\n"1\n', "is no CSV"),
        ("a,,b\n1,2,3\n", "s.csv:1: column 2 is called ''"),
        ("a,{b}\n1,2\n", "without braces"),
        ("a,a\n1,2\n", "the columns 'a' and 'a' would both be the variable a"),
        ("a b,a-b\n1,2\n", "would both be the variable a_b"),
        ("PATH\n1\n", "the variable PATH, which tasks need"),
        ("AZ_BATCH_TASK_ID\n1\n", "which tasks need"),
        ("LD_PRELOAD\n1\n", "which tasks need"),
        ("a\n1\0\n", "s.csv:2: "),
        ('a,b\n1,2\n3,"x ${secret:env:X}"\n', "s.csv:3: holds `${secret:`"),
    ],
)
def test_what_is_no_table(text, told):
    with pytest.raises(SweepError) as refused:
        read_sweep(text, "s.csv")
    assert told in str(refused.value)


SWEEP = Sweep(("n", "learning rate"), ("n", "learning_rate"), (("7", "a b"),))


@pytest.mark.parametrize(
    ("words", "made"),
    [
        (["run", "{n}"], ["run", "7"]),
        (["run", "--rate={learning rate}"], ["run", "--rate=a b"]),
        (["run", "{n}{n}-{n}"], ["run", "77-7"]),
        (["run", "{{n}}", "}}"], ["run", "{n}", "}"]),
        (["echo", "${n}", "$n"], ["echo", "${n}", "$n"]),
        (["awk", "{print $1}", "{ x }", "{}"], ["awk", "{print $1}", "{ x }", "{}"]),
        # the script of a shell would take the value for two words
        (["sh", "-c", "run {n} '{n}' {learning rate}"], ["sh", "-c", "run 7 '7' \"${learning_rate}\""]),
        (["/bin/bash", "-eu", "-xc", 'run "{learning rate}"'], ["/bin/bash", "-eu", "-xc", 'run "${learning_rate}"']),
        (["sh", "script", "{learning rate}"], ["sh", "script", "a b"]),
        (["sh", "-c", "true", "{learning rate}"], ["sh", "-c", "true", "a b"]),
    ],
)
def test_places_in_a_command(words, made):
    assert filled(words, SWEEP, SWEEP.rows[0]) == made


@pytest.mark.parametrize("word", ["{m}", "x{N}", "{learning_rate}", "{{n}}{m}"])
def test_what_is_no_column(word):
    with pytest.raises(SweepError, match="names no column; columns: n, learning rate"):
        filled(["run", word], SWEEP, SWEEP.rows[0])


@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=5))
def test_values_come_through_file_and_command_line(rows):
    """Law: what stands in a cell is what the program gets as its argument."""
    text = io.StringIO()
    csv.writer(text).writerows([("a", "b"), *rows])
    sweep = read_sweep(text.getvalue(), "s.csv")
    assert list(sweep.rows) == rows
    for row in sweep.rows:
        line = shlex.join(filled(["run", "{a}", "x{b}y"], sweep, row))
        assert split_command_line(line) == ("run", row[0], f"x{row[1]}y")


SCRIPTS = ("{a}", '"{a}"', "'{a}'", "\\\"{a}\\\"", '"it\'s "{a}', "'x\"'\"{a}\"", "x{a}y", '"\\""{a}')


@given(st.sampled_from(SCRIPTS), VALUES | st.sampled_from(["$(id)", "`id`", "';id;'", '";id;"', "*", "", "~", "a  b"]))
@settings(max_examples=80, deadline=None)
def test_values_in_a_script_are_parts_of_words(script, value):
    """Law: however the place is quoted, the word has the value in it as it is, and a shell runs nothing of it."""
    sweep = Sweep(("a",), ("a",), ())
    words = filled(["sh", "-c", f"printf %s. {script}"], sweep, (value,))
    done = subprocess.run(words, capture_output=True, check=True, env={"a": value, "PATH": "/usr/bin:/bin"})
    (as_it_is,) = shlex.split(script.replace("{a}", "VALUE"))
    assert done.stdout.decode() == as_it_is.replace("VALUE", value) + "."

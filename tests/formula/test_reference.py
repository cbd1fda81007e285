"""The reference is complete, its examples are true, and the documents hold what the tables say."""

import pytest

from formula import compile_formula
from formula.builtins_table import FUNCTION_NAMES, MEMBERS, METHODS
from formula.codes import CODES
from formula.reference import as_text, entries, find, findings_as_markdown, names_as_markdown, overview
from formula.reference.examples import EXAMPLES, NOTES, NOW, example_samples
from formula.variables import KNOWN_NAMES, OPTIONS
from tests.architecture.sources import ROOT

GUIDE = (ROOT / "docs/formula.md").read_text(encoding="utf-8")
FINDINGS = (ROOT / "docs/formula-findings.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*KNOWN_NAMES, *OPTIONS, *FUNCTION_NAMES, *METHODS, *MEMBERS, *CODES])
def test_every_name_of_the_language_has_an_entry(name):
    assert entries()[name].summary


@pytest.mark.parametrize("name", [*FUNCTION_NAMES, *METHODS, *MEMBERS])
def test_what_can_be_called_has_an_example(name):
    assert entries()[name].examples or name in ("rand", "stop")


def test_notes_and_examples_belong_to_names_that_exist():
    assert set(EXAMPLES) | set(NOTES) <= set(entries())


@pytest.mark.parametrize(
    ("expression", "value"),
    [(each.expression, each.value) for examples in EXAMPLES.values() for each in examples],
)
def test_every_example_is_true(expression, value):
    evaluation = compile_formula(f"x = {expression};").evaluate(example_samples(), NOW)
    assert evaluation.error is None
    assert evaluation.results.rpartition("x=")[2] == value


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("getsample", "GetSample"),
        ("pendingtasks", "$PendingTasks"),
        ("$AVG", "avg"),
        ("max()", "max"),
        (".hour", "hour"),
        ("<=", "=="),
        ("?:", "? :"),
        ("f202", "F202"),
    ],
)
def test_a_name_is_found_however_it_is_written(asked, name):
    found = find(asked)
    assert found is not None and found.name == name


def test_an_unknown_name_has_no_entry():
    assert find("abs") is None


def test_the_text_of_every_entry_names_it():
    whole = overview()
    for entry in entries().values():
        assert as_text(entry).startswith(entry.name)
        assert entry.name in whole


@pytest.mark.parametrize(
    ("document", "section"),
    [(GUIDE, names_as_markdown()), (FINDINGS, findings_as_markdown())],
    ids=["formula.md", "formula-findings.md"],
)
def test_the_documents_hold_the_reference_of_the_tables(document, section):
    assert section in document, "`make docs` writes it anew"

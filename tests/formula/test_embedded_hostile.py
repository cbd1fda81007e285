"""Whatever a file holds: it is read or refused, soon, and never in another way."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formula.embedded import FormulaFileError, fitted, lint_formula, read_document, read_formulas, rewrite

from .embedded_documents import FOUND

NAMES = ("p.json", "m.tf", "m.bicep", "w.yaml", "m.tf.json", "x.txt", "f.formula")
FRAGMENTS = st.sampled_from(
    [
        *("autoScaleFormula", "autoscale_formula", ": ", " = ", '"', "'", "'''", "<<EOF\n", "<<-E\n", "\nE\n", "${"),
        *("}", "{", "[", "concat(", "format(", "{0}", ")", ",", "|", ">", "|2-\n", "\n", "\r\n", "\\", "\\u00"),
        *("&a", "*a", "//", "/*", "*/", "]", "#", "%{", "$$", "a = 1;", "- ", "  ", "\t", "~", "!!x", "---", "?"),
        *("\ud800", "\ufeff", "\u2028", "\x85", "😀", "\x00", "var ", "local.x", "parameters('a')", "[variables('v')]"),
    ]
)


@st.composite
def documents(draw):
    """Fragments of documents, or a document with a piece taken out and fragments put in."""
    fragments = "".join(draw(st.lists(FRAGMENTS, max_size=25)))
    if draw(st.booleans()):
        return fragments
    whole = draw(st.sampled_from([content for content, _ in FOUND.values()]))
    start = draw(st.integers(0, len(whole)))
    return whole[:start] + fragments[:20] + whole[start + draw(st.integers(0, 6)) :]


@given(st.sampled_from(NAMES), documents())
def test_any_document_is_read_or_refused(name, content):
    try:
        formulas = read_formulas(name, content)
    except FormulaFileError as refused:
        assert name in str(refused)
        return
    for formula in formulas:
        if formula.places is not None:
            assert len(formula.places) == len(formula.text) + 1
            assert list(formula.places) == sorted(formula.places)
            assert formula.places[-1] <= len(formula.document.text)
        lint_formula(formula)
        text = fitted(formula.text, formula.text + " + 1")
        try:
            written = rewrite(content, {formula: text})
        except FormulaFileError:
            continue
        if formula.notation is not None:
            assert [other.where for other in read_formulas(name, written)] == [other.where for other in formulas]


def times(fragment, size):
    return fragment * (size // len(fragment))


LARGE = 300_000
LONG = 120_000
HOSTILE = {
    "many.json": "[" + times('{"autoScaleFormula":"a;"},', LARGE) + "]",
    "escapes.json": '{"autoScaleFormula":"' + times("\\u0061", LONG) + '"}',
    "unread_escapes.json": '{"x":"' + times("\\u0061", LARGE) + '"}',
    "nested.json": '{"autoScaleFormula":"[' + times("concat(", LONG // 2) + "'a'" + times(")", LONG // 14) + ']"}',
    "arguments.json": '{"autoScaleFormula":"[concat(' + times("'a+',p,", LONG) + "'x')]\"}",
    "fields.json": '{"autoScaleFormula":"[format(\'' + times("{0}+", LONG) + "',x)]\"}",
    "comments.json": times("/*", LARGE),
    "references.json": '{"variables":{"x":"'
    + times("[", LONG)
    + '"},"z":['
    + times('{"autoScaleFormula":"[variables(\'x\')]"},', LARGE)
    + "]}",
    "heredocs.tf": times("<<A\nA\n", LARGE),
    "holes.tf": 'autoscale_formula = "' + times("+${a}", LONG) + '"',
    "unclosed.tf": times('"${', LARGE),
    "computed.tf": times("autoscale_formula=x\n", LARGE),
    "chain.tf": times("a=", LARGE),
    "lines.tf": "autoscale_formula = <<-A\n" + times(" a;\n", LONG) + "\nA\n",
    "quotes.bicep": times("'''''' ", LARGE),
    "computed.bicep": times("autoScaleFormula:x\n", LARGE),
    "many.yaml": times("- autoScaleFormula: a;\n", LARGE),
    "folded.yaml": "autoScaleFormula: >\n" + times(" a;\n\n", LONG),
    "continued.yaml": 'autoScaleFormula: "' + times("\\\n", LONG) + '"',
    "aliases.yaml": "a: &a " + "a" * LONG + "\n" + "".join(f"x{n}: {{autoScaleFormula: *a}}\n" for n in range(5000)),
    "blanks.txt": times("\n- ", LARGE),
    "comment.txt": times("/*", LARGE),
    "quotes.formula": times('"', LARGE),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_large_documents_are_answered_soon(name):
    before = time.process_time()
    try:
        for formula in read_document(name, HOSTILE[name]).formulas[:1]:
            lint_formula(formula)
    except FormulaFileError:
        pass
    assert time.process_time() - before < 10  # at most 1 s; what takes squares of its time needs minutes


def test_many_formulas_in_one_line_are_shown_and_changed_soon():
    content = HOSTILE["many.json"]
    before = time.process_time()
    reading = read_document("many.json", content)
    assert all(reading.document.line(1) == content for _ in reading.formulas)
    changed = rewrite(content, dict.fromkeys(reading.formulas, "a + 1;"))
    assert changed == content.replace('"a;"', '"a + 1;"')
    assert time.process_time() - before < 10

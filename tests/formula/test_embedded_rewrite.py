"""Changed formulas are written as their documents write them, and nothing else changes."""

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from formula.embedded import FormulaFileError, fitted, read_formulas, rewrite

# A document of each notation, by the name of its file.
DOCUMENTS = {
    "json": ("p.json", '{"id": "p",\n "autoScaleFormula" : "a = 1;"  , "n": 1.50}\n'),
    "json with escapes": ("p.json", '{"autoScaleFormula": "\\u0061 = 1;\\n", "autoscaleformula": "b;"}'),
    "json in lines": ("p.json", '{"autoScaleFormula": "\n  a = 1;\n  b = 2;\n"}'),
    "arm concat": ("p.json", "{\"autoScaleFormula\": \"[concat('a = ', parameters('most'), '; b = ''x''')]\"} // end"),
    "arm format": ("p.json", "{\"autoScaleFormula\": \"[format('a = {0:N2}; {1}', union(1, 2), 'b;')]\"}"),
    "heredoc": ("m.tf", "a = 1\nautoscale_formula = <<EOF\n  a = ${var.a};\nEOF\nb = 2 # x\n"),
    "indented heredoc": ("m.tf", "l {\n  autoscale_formula = <<-EOF\n    a = ${var.a};\n\n    b;\n  EOF\n}"),
    "terraform string": ("m.tf", 'autoscale_formula = "a = ${f("}")} + \\"x\\";" # c'),
    "terraform json": ("m.tf.json", '{"autoscale_formula": "a = ${f(\\"}\\")};"}'),
    "bicep lines": ("m.bicep", "var autoScaleFormula = '''\n  a = ${b};\n'''\nvar c = 1\n"),
    "bicep lines in one": ("m.bicep", "var autoScaleFormula = '''a = 1;'''"),
    "bicep string": ("m.bicep", "var autoScaleFormula = 'a = ${most};\\n' // c\n"),
    "yaml literal": ("w.yaml", "pools:\n  - autoScaleFormula: | # kept\n      a = 1;\n\n\n    id: b\n"),
    "yaml literal, last": ("w.yaml", "autoScaleFormula: |\n   a = 1;\n   b = 2;"),
    "yaml stripped": ("w.yaml", "autoScaleFormula: |-\n   a = 1;\n\n# comment\nid: b\n"),
    "yaml kept": ("w.yaml", "autoScaleFormula: |+\n   a = 1;\n\nid: b\n"),
    "yaml folded": ("w.yaml", "autoScaleFormula: >\n   a = 1;\n   b = 2;\nid: b\n"),
    "yaml double": ("w.yaml", 'autoScaleFormula: "a = 1;\n   b" # c\nid: b\n'),
    "yaml single": ("w.yaml", "- autoScaleFormula: 'a = ''1'';'\n  id: b\n"),
    "yaml plain": ("w.yaml", "- autoScaleFormula: a = 1;\n  id: b\n- autoScaleFormula: b\n"),
    "yaml flow": ("w.yaml", "[{autoScaleFormula: a = 1, id: b}, {autoScaleFormula: 'b'}]"),
    "plain": ("f.formula", "a = 1;\n"),
}

TEXTS = st.text(
    st.sampled_from('ab $1.=;+-*/()"\'\\{}[]%:#,|>&!\n\n\n  ~?<') | st.characters(exclude_categories=["Cs"]),
    max_size=60,
)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_read_again_it_is_what_was_written(name, line_end):
    file, content = DOCUMENTS[name]
    content = "\ufeff" + content.replace("\n", line_end)
    formulas = read_formulas(file, content)

    @given(TEXTS)
    @example("a = 1;\n  b = 2;\n")
    @example("  a = 1;")
    @example("\n\n a;\n\n")
    @example("a: b # c")
    @example("EOF\n")
    @example("'''")
    def check(text):
        try:
            written = rewrite(content, {formulas[0]: text})
        except FormulaFileError as refused:
            assert "cannot hold" in str(refused)
            return
        if formulas[0].notation is None:
            assert written == "\ufeff" + text
            return
        again = read_formulas(file, written)
        assert [formula.text for formula in again] == [text, *(formula.text for formula in formulas[1:])]
        start, end = formulas[0].notation.start + 1, len(content) - formulas[0].notation.end - 1
        assert written.startswith(content[:start])
        assert written.endswith(content[-end:] if end else "")

    check()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_document_can_hold_formulas(name):
    file, content = DOCUMENTS[name]
    (formula, *_) = read_formulas(file, content)
    text = fitted(formula.text, 'first = 1 < 2 && true;\n$Target = time("x: y") - {2} / \'3\' # ${z} %{y};\n')
    written = rewrite(content, {formula: text})
    if formula.notation is not None:
        assert read_formulas(file, written)[0].text == text
    assert rewrite(content, {formula: formula.text}) == content


WRITTEN = {
    "json": '{"id": "p",\n "autoScaleFormula" : "n = \\"\\\\\\";\\nm;"  , "n": 1.50}\n',
    "json with escapes": '{"autoScaleFormula": "n = \\"\\\\\\";\\nm;", "autoscaleformula": "b;"}',
    "json in lines": '{"autoScaleFormula": "n = \\"\\\\\\";\nm;"}',
    "terraform string": 'autoscale_formula = "n = \\"\\\\\\";\\nm;" # c',
    "bicep string": "var autoScaleFormula = 'n = \"\\\\\";\\nm;' // c\n",
    "bicep lines": "var autoScaleFormula = '''\nn = \"\\\";\nm;'''\nvar c = 1\n",
    "yaml stripped": 'autoScaleFormula: |-\n   n = "\\";\n   m;\n\n# comment\nid: b\n',
    "yaml literal": 'pools:\n  - autoScaleFormula: |- # kept\n      n = "\\";\n      m;\n\n\n    id: b\n',
    "yaml folded": 'autoScaleFormula: |-\n   n = "\\";\n   m;\nid: b\n',
    "yaml plain": '- autoScaleFormula: |-\n    n = "\\";\n    m;\n  id: b\n- autoScaleFormula: b\n',
    "yaml single": '- autoScaleFormula: |-\n    n = "\\";\n    m;\n  id: b\n',
    "yaml double": 'autoScaleFormula: "n = \\"\\\\\\";\\nm;" # c\nid: b\n',
    "yaml flow": '[{autoScaleFormula: "n = \\"\\\\\\";\\nm;", id: b}, {autoScaleFormula: \'b\'}]',
}


@pytest.mark.parametrize("name", WRITTEN)
def test_written_in_the_manner_of_the_document(name):
    file, content = DOCUMENTS[name]
    assert rewrite(content, {read_formulas(file, content)[0]: 'n = "\\";\nm;'}) == WRITTEN[name]


def test_line_ends_and_indentation_are_the_documents():
    content = DOCUMENTS["indented heredoc"][1].replace("\n", "\r\n")
    (formula,) = read_formulas("m.tf", content)
    written = rewrite(content, {formula: formula.text.replace("b;", "b;\n\n  c;")})
    assert written == content.replace("    b;\r\n", "    b;\r\n\r\n      c;\r\n")


@pytest.mark.parametrize(
    ("name", "change", "written"),
    [
        ("arm concat", ("a =", "a = 'q' +"), "[concat('a = ''q'' + ', parameters('most'), '; b = ''x''')]"),
        ("arm format", ("a =", "a = {x} +"), "[format('a = {{x}} + {0:N2}; b;', union(1, 2), 'b;')]"),
        ("heredoc", ("a =", "a = ${x} + %{y} +"), "a = $${x} + %%{y} + ${var.a};"),
        ("terraform string", ("a =", "a = ${x} + "), 'a = $${x} +  ${f("}")} + \\"x\\";'),
        ("terraform json", ("a =", "a = ${x} + "), 'a = $${x} +  ${f(\\"}\\")};'),
        ("bicep string", ("a =", "a = ${x} + "), "a = \\${x} +  ${most};\\n"),
    ],
)
def test_placeholders_stay_what_they_are(name, change, written):
    file, content = DOCUMENTS[name]
    (formula,) = read_formulas(file, content)
    assert formula.unknown
    assert written in rewrite(content, {formula: formula.text.replace(*change)})


def test_several_at_once():
    content = "".join(f"- autoScaleFormula: {'|' if n % 2 else '>'}\n    a = {n};\n" for n in range(20))
    formulas = read_formulas("w.yaml", content)
    changed = {formula: formula.text.replace("a", "b\n\n= 1; a") for formula in formulas[::3]}
    again = read_formulas("w.yaml", rewrite(content, changed))
    assert [formula.text for formula in again] == [changed.get(formula, formula.text) for formula in formulas]


def test_an_anchor_and_a_tag_stay():
    content = "x: {autoScaleFormula: &f !!str 'a;'}\nautoScaleFormula: *f\n"
    (formula,) = read_formulas("w.yaml", content)
    assert rewrite(content, {formula: "b;"}) == content.replace("a;", "b;")


@given(TEXTS, st.text(" \t\nab;", max_size=40), st.text(" \n", max_size=6))
def test_fitted_changes_blanks_only(old, new, around):
    result = fitted(around + old, new)
    assert re.sub(r"\s+", " ", result.strip()) == re.sub(r"\s+", " ", new.strip())


@given(st.lists(st.sampled_from(["a;", "  b;", "", "\tc;"]), max_size=5).map("\n".join))
def test_fitted_leaves_what_fits(text):
    assume(text.strip())
    assert fitted(text, text) == text
    assert fitted(text, fitted(text, "x;\n  y;\n")) == fitted(text, "x;\n  y;\n")

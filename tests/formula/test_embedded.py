"""Formulas are found in documents, and every character of them at its place."""

import textwrap

import pytest
import yaml

from formula.embedded import FormulaFileError, lint_formula, read_document, read_formulas, yaml_documents

from .embedded_documents import FOUND


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("file", FOUND)
def test_found(file, line_end):
    content, wanted = FOUND[file]
    if file != "f.formula":
        content = content.replace("\n", line_end)
    reading = read_document(file, content)
    assert reading.unreadable == ()
    assert [(text.where, text.text, len(text.unknown)) for text in reading.formulas] == wanted


# What reads differently from what stands there: escapes, and the line ends of the document.
READS_AS = {
    '\\"': '"', "\\n": "\n", "\\t": "\t", "\\u": None, "\\\\": "\\", "\\'": "'", "$$": "$", "\\$": "$", "''": "'",
}  # fmt: skip


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("file", FOUND)
def test_every_character_has_its_place(file, line_end):
    content = FOUND[file][0].replace("\r\n", "\n").replace("\n", line_end).removeprefix("\ufeff")
    for text in read_formulas(file, content):
        stand_ins = {
            offset
            for stand_in in text.holes
            for offset in range(text.text.index(stand_in), text.text.index(stand_in) + len(stand_in))
        }
        assert text.place(len(text.text)) <= len(content)
        for offset, character in enumerate(text.text):
            there = content[text.place(offset) : text.place(offset) + 2]
            if offset in stand_ins:
                assert there[0] in "${pu"
            elif not character.isspace() and there[0] != character:
                assert READS_AS.get(there, character) in (character, None), (character, there, text.where)


@pytest.mark.parametrize(
    ("file", "content", "place"),
    [
        ("p.json", '{\n "autoScaleFormula": "a = 1;\\n\\tb = foo;"}', (2, 37)),
        ("p.json", '{"autoScaleFormula": "\\u0061 = foo;"}', (1, 32)),
        ("p.json", '{"autoScaleFormula": "\\"😀\\"; a = foo;"}', (1, 34)),
        ("m.tf", 'autoscale_formula = <<-A\n\t a = 1;\n\t  b = foo;\n\tA\n', (3, 8)),
        ("m.tf", 'autoscale_formula = "a = ${var.b}; b = foo;"', (1, 40)),
        ("m.bicep", "var autoScaleFormula = '''\n  a = foo;'''", (2, 7)),
        ("w.yaml", "autoScaleFormula: >\n\n   a\n   = foo;\n", (4, 6)),
        ("w.yaml", "autoScaleFormula: 'a =\n   foo;'\n", (2, 4)),
        ("w.yaml", 'autoScaleFormula: "a =\\\n   foo;"\n', (2, 4)),
        ("w.yaml", "\ufeffautoScaleFormula: a = foo\n", (1, 23)),
        ("f.formula", "\ufeffa = foo", (1, 5)),
    ],
)
def test_a_finding_stands_where_the_document_has_it(file, content, place):
    (text,) = read_formulas(file, content)
    (found,) = [found for found in lint_formula(text) if found.code == "F201"]
    assert text.position(found.start) == place


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("p.json", '{"autoScaleFormula": "[parameters(\'x\')]"}', "it is computed"),
        ("p.json", '{"autoScaleFormula": "[concat(variables(\'x\'), parameters(\'y\'))]"}', "it is computed"),
        ("p.json", '{"autoScaleFormula": "[concat(variables(\'x\'), \'a = 1;\')]"}', "is more than a number"),
        ("p.json", '{"autoScaleFormula": 3}', "is not a text but `3`"),
        ("w.yaml", "autoScaleFormula: 3", "is not a text but `3`"),
        ("w.yaml", "autoScaleFormula: true", "is not a text but `true`"),
        ("p.json", '{"autoScaleFormula": "[replace(\'a\', \'b\', \'c\')]"}', "it is computed"),
        ("m.tf", 'autoscale_formula = file("${path.module}/a.formula")', "it is computed, by `file("),
        ("m.tf", "autoscale_formula = var.unknown", "it is computed, by `var.unknown`"),
        ("m.tf", 'autoscale_formula = "${local.a}${local.b}"', "it is computed"),
        ("m.tf", "autoscale_formula = <<A\n${local.head}\na = 1;\nA\n", "`${local.head}` is more than a number"),
        ("m.tf", 'autoscale_formula = "$Target${var.kind}Nodes = 1;"', "is more than a number"),
        ("m.tf", 'autoscale_formula = "a = ${var.a}0;"', "is more than a number"),
        ("m.tf", 'autoscale_formula = "a = ${var.a} ${var.b};"', "is more than a number"),
        ("m.tf", 'autoscale_formula = "a = %{ if var.a }1%{ else }2%{ endif };"', "is more than a number"),
        ("m.bicep", "var autoScaleFormula = loadTextContent('a.formula')", "it is computed, by `loadTextContent("),
        ("m.bicep", "output autoScaleFormula string = pool.formula", "it is computed"),
    ],
)
def test_what_cannot_be_followed_is_told(file, content, told):
    reading = read_document(file, content)
    assert reading.formulas == ()
    (unreadable,) = reading.unreadable
    assert told in unreadable.message
    with pytest.raises(FormulaFileError, match=r":1:\d+: |:2:1: "):
        read_formulas(file, content)


def test_one_that_cannot_be_followed_does_not_hide_others():
    reading = read_document("m.tf", 'autoscale_formula = var.x\nlocals {\n autoscale_formula = "a;"\n}\n')
    assert len(reading.unreadable) == len(reading.formulas) == 1


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("p.json", '{"a": }', "p.json:1:7: is not JSON: expected a value, found '}'"),
        ("p.json", '{"a": "b}', "p.json:1:7: is not JSON: the string is not closed"),
        ("p.json", '{"a": "\\q"}', "p.json:1:8: is not JSON: there is no escape '\\q'"),
        ("p.json", '{"a" 1}', "p.json:1:6: is not JSON: expected `:`, found '1'"),
        ("p.json", '{"a": 1\n', "p.json:2:1: is not JSON: expected `,` or `}`, found the end"),
        ("p.json", "{a: 1}", "p.json:1:2: is not JSON: expected a property name in double quotes, found 'a'"),
        ("p.json", "{} x", "p.json:1:4: is not JSON: expected the end of the document, found 'x'"),
        ("p.json", "", "p.json:1:1: is not JSON: expected a value, found the end"),
        ("p.json", "[" * 300, "p.json:1:201: is not JSON: nested deeper than 200"),
        ("p.json", '{"id": 1}', "no formula found in p.json: looked for `autoScaleFormula`"),
        ("m.tf", 'a = "b', "m.tf:1:5: is not Terraform: the string is not closed"),
        ("m.tf", "a = <<EOF\n b", "m.tf:1:5: is not Terraform: the heredoc EOF is not closed"),
        ("m.tf", "a = " + "[" * 300, "m.tf:1:205: is nested deeper than 200"),
        ("m.bicep", "var a = 'b", "m.bicep:1:9: is not Bicep: the string is not closed"),
        ("m.bicep", "var a = '''b", "m.bicep:1:9: is not Bicep: the string is not closed"),
        ("w.yaml", "a: [", "w.yaml:"),
        ("w.yaml", "a: \x07", "w.yaml: is not YAML: "),
        ("w.yaml", "[" * 300, "w.yaml: is nested deeper than 200"),
        ("w.yaml", "pools: []\n", "no formula found in w.yaml: looked for `autoScaleFormula`"),
        ("f.formula", " \n", "no formula found in f.formula: looked for a formula; the file is empty"),
    ],
)
def test_refused(file, content, told):
    with pytest.raises(FormulaFileError) as refused:
        read_formulas(file, content)
    assert str(refused.value).startswith(told)


UNKNOWN = """
autoscale_formula = <<-EOF
  // ${var.note}
  start = time("${var.start}");
  $NodeDeallocationOption = ${var.option};
  $TargetDedicatedNodes = min(${var.most}, foo);
EOF
"""


def test_no_finding_is_about_a_placeholder():
    (text,) = read_formulas("m.tf", UNKNOWN)
    assert [found.code for found in lint_formula(text) if found.is_error] == ["F201"]


def test_a_placeholder_differs_from_the_numbers_of_the_formula():
    content = textwrap.dedent('autoscale_formula = "a = 1.0 + ${b} + 21.000 + ${c};"')
    (text,) = read_formulas("m.tf", content)
    assert text.text == "a = 1.0 + 1.0000 + 21.000 + 1.00000;"
    assert {text.text[offset:].split()[0].strip(";") for offset in text.unknown} == set(text.holes)


@pytest.mark.parametrize("file", [file for file in FOUND if file.endswith((".yaml", ".yml"))])
def test_yaml_reads_the_same_without_libyaml(file, monkeypatch):
    content = FOUND[file][0]
    before = [(text.text, text.places) for text in read_formulas(file, content)]
    monkeypatch.setattr(yaml_documents, "_LOADER", yaml.SafeLoader)
    assert [(text.text, text.places) for text in read_formulas(file, content)] == before

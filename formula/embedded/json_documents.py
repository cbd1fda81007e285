"""Formulas in JSON: pools as the Batch API and `az batch` take them, ARM templates, Terraform in JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..source import Source
from .arm_expressions import ArmExpression, is_expression, read_expression, reference
from .formula_text import DocumentReading, Hole
from .found import Found
from .json_text import JsonString, JsonValue, decode_string, encode_string, json_values
from .paths import is_formula, rendered
from .scenarios import is_compared, is_formula_text, is_scenario
from .templates import Run
from .terraform_strings import template_parts, template_text

_LONGEST_REFERENCE = 1000

LOOKED_FOR = "`autoScaleFormula`, or `formula` in `autoScale` (ARM) or `auto_scale` (Terraform)"


@dataclass(frozen=True, slots=True)
class JsonNotation:
    """`in_lines`: the string has line ends as they are, as ARM templates may; `expression`: what ARM puts together."""

    start: int
    end: int
    habits: Mapping[str, str]
    in_lines: bool
    expression: ArmExpression | None
    is_terraform: bool

    def written(self, parts: Sequence[str | Hole], newline: str) -> Iterator[str]:
        if self.expression is not None:
            text = self.expression.written(parts)
        elif self.is_terraform:
            text = "".join(template_text(part) if isinstance(part, str) else part.source for part in parts)
        else:
            text = "".join(part for part in parts if isinstance(part, str))
        habits = dict(self.habits)
        if self.in_lines:
            habits["\n"] = newline
        yield f'"{encode_string(text, habits)}"'


def read_json(file: str, document: Source) -> DocumentReading:
    """Raises FormulaFileError."""
    found = Found(file, document, LOOKED_FOR)
    values = list(json_values(file, document))
    strings = {value.path: value for value in values if value.is_string}
    is_terraform = file.lower().endswith(".tf.json")
    of_scenario = is_scenario({value.path[0] for value in values if value.path})
    for value in values:
        if of_scenario and value.is_string and is_compared(value.path):
            _add_compared(found, value)
        if not is_formula(value.path):
            continue
        if value.is_string:
            _add(found, value, strings, is_terraform)
        elif document.text[value.start : value.end] != "null":
            found.add_no_text(rendered(value.path), value.start, value.end)
    return found.reading()


def _add_compared(found: Found, value: JsonValue) -> None:
    """A formula of a scenario, or a file with one."""
    where, document = rendered(value.path), found.document.text
    if not found.is_new(where, value.start, value.end):
        return
    decoded = decode_string(document, value)
    if is_formula_text(decoded.text):
        run = Run(decoded.text, decoded.places)
        found.add(where, [run], value.end - 1, _notation(document, value, decoded, None, False))
    elif decoded.text.strip():
        found.add_file(where, value.start, decoded.text)


def _add(
    found: Found, value: JsonValue, strings: Mapping[tuple[str | int, ...], JsonValue], is_terraform: bool
) -> None:
    document = found.document.text
    where = rendered(value.path)
    if not found.is_new(where, value.start, value.end):
        return
    decoded = decode_string(document, value)
    if not is_terraform and is_expression(decoded.text):
        if target := reference(decoded.text):
            there = strings.get(target if target[0] == "variables" else (*target, "defaultValue"))
            if there is not None and not _refers(document, there):
                _add(found, there, strings, is_terraform)
                return
            found.add_computed(where, value.start, value.end)
            return
        expression = read_expression(Run(decoded.text, decoded.places), value.end - 1)
        if not any(isinstance(part, Run) and part.text.strip() for part in expression.parts):
            found.add_computed(where, value.start, value.end)
            return
        found.add(where, expression.parts, value.end - 1, _notation(document, value, decoded, expression, False))
        return
    run = Run(decoded.text, decoded.places)
    parts = template_parts(run, value.end - 1) if is_terraform else [run]
    found.add(where, parts, value.end - 1, _notation(document, value, decoded, None, is_terraform))


def _refers(document: str, value: JsonValue) -> bool:
    """Whether a value refers to another one in turn, which is not followed."""
    text = document[value.start + 1 : min(value.end - 1, value.start + _LONGEST_REFERENCE)]
    return is_expression(text) and reference(text) is not None


def _notation(
    document: str, value: JsonValue, decoded: JsonString, expression: ArmExpression | None, is_terraform: bool
) -> JsonNotation:
    in_lines = any(end in document[value.start : value.end] for end in "\r\n")
    return JsonNotation(value.start, value.end, decoded.habits, in_lines, expression, is_terraform)

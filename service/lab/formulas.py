"""The formulas that a scenario compares: in files, or as texts in the scenario itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from formula import check
from formula.embedded import FormulaFileError, is_formula_text, read_formulas

from ..cursor import Cursor
from ..formula_in_file import check_formula
from ..positions import Listing, Mapping, Scalar, Tree, read_text
from ..printable import printable
from ..problems import InputError, Place, Problem, Problems

#: It is the head of a column.
_LONGEST_NAME = 60


@dataclass(frozen=True)
class NamedFormula:
    """`name`: in tables and charts; no other formula of the scenario has it."""

    name: str
    text: str


def read_formula(path: Path) -> NamedFormula:
    """The only formula of a file, which may be a document that holds it. Raises InputError."""
    file = str(path)
    try:
        found = read_formulas(file, read_text(path))
    except FormulaFileError as exc:
        raise InputError(file, [Problem(Place(), "", str(exc).removeprefix(f"{file}:").strip())]) from None
    if len(found) != 1:
        places = ", ".join(each.where for each in found)
        raise InputError(file, [Problem(Place(), "", f"holds {len(found)} formulas ({places}); give a file with one")])
    formula, problems = found[0], Problems()
    for fault in check(formula.text):
        if fault.is_error:
            excerpt = fault.source.excerpt(fault.start, fault.end) + (f"\n = {fault.hint}" if fault.hint else "")
            place = Place(*formula.position(fault.start))
            problems.error(place, formula.where, f"{fault.code}: {fault.message}", excerpt)
    if formula.holes:
        text = "holds placeholders of a template; give the file that is made of it"
        problems.error(Place(), formula.where, text)
    if problems.errors:
        raise InputError(file, problems.errors)
    return NamedFormula(printable(path.stem), formula.text)


def given_formula(given: str, number: int) -> NamedFormula:
    """A formula that was given on a command line, as a text or the name of a file. Raises InputError."""
    if not given.strip():
        raise InputError("--formula", [Problem(Place(), "", "is empty; give the name of a file, or a text")])
    if not is_formula_text(given):
        return read_formula(Path(given))
    name = f"formula {number}"
    problems = Problems()
    for fault in check(given):
        if fault.is_error:
            place = Place(*fault.source.position(fault.start))
            problems.error(place, "", f"{fault.code}: {fault.message}", fault.source.excerpt(fault.start, fault.end))
    if problems.errors:
        raise InputError(name, problems.errors)
    return NamedFormula(name, given)


def with_formula_groups(root: Tree) -> Tree:
    """The tree of a scenario with every formula spelled out: `- a.formula` stands for `- {formula: a.formula}`."""
    if not isinstance(root, Mapping) or "formulas" not in root.entries:
        return root
    place, given = root.entries["formulas"]
    if not isinstance(given, Listing):
        return root
    items = (
        Mapping({"formula": (item.place, item)}, item.place) if isinstance(item, Scalar) else item
        for item in given.items
    )
    return Mapping({**root.entries, "formulas": (place, Listing(tuple(items), given.place))}, root.place)


def formulas_of(scenario: Cursor, base: Path, lines: list[str], problems: Problems) -> tuple[NamedFormula, ...]:
    """Those of a scenario file with these lines; files are relative to `base`. What is wrong goes to `problems`."""
    found = []
    for number, item in enumerate(scenario.each("formulas"), 1):
        value = item if isinstance(item.tree, Scalar) else item.get("formula")
        if value is None or not isinstance(value.tree, Scalar) or value.tree.is_null:
            continue  # what is wrong with it is said by who decodes
        text, name = value.tree.text, _own_name(item, problems)
        if is_formula_text(text):
            check_formula(value, lines, problems)
            found.append(NamedFormula(name or f"formula {number}", text))
            continue
        try:
            formula = read_formula(base / text)
            found.append(replace(formula, name=name or formula.name))
        except InputError as exc:
            for problem in exc.problems:
                problems.error(value.place, value.path, problem.render(exc.file))
        except ValueError:  # of the system: no file can be called that
            problems.error(value.place, value.path, f"{text!r} is no name of a file")
    return with_own_names(found)


def _own_name(item: Cursor, problems: Problems) -> str:
    """What the scenario calls a formula; empty if nothing."""
    name, value = (item.text("name") or "").strip(), item.get("name")
    if value is not None and (not name.isprintable() or not 0 < len(name) <= _LONGEST_NAME):
        problems.error(value.place, value.path, f"must be one line of at most {_LONGEST_NAME} characters")
        return ""
    return name


def with_own_names(formulas: Sequence[NamedFormula]) -> tuple[NamedFormula, ...]:
    """Those of one name told apart: `pool`, `pool (2)`, ..."""
    found: dict[str, NamedFormula] = {}
    for formula in formulas:
        name, number = formula.name, 1
        while name in found:
            number += 1
            name = f"{formula.name} ({number})"
        found[name] = replace(formula, name=name)
    return tuple(found.values())

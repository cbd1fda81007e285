"""Where a case gets its formula from: lines of the case file itself, or another document."""

from __future__ import annotations

from pathlib import Path

from ..embedded import FormulaFileError, FormulaText, formulas_at, read_formulas
from ..source import Source


def inline_formula(file: str, content: str, first_line: int, last_line: int) -> FormulaText:
    """The lines first_line..last_line (counted from 1) of a case file, without their common indentation."""
    lines = content.splitlines(keepends=True)
    block = lines[first_line - 1 : last_line]
    indent = min((len(line) - len(line.lstrip()) for line in block if line.strip()), default=0)
    offset = sum(map(len, lines[: first_line - 1]))
    text: list[str] = []
    places: list[int] = []
    for line in block:
        kept = line[min(indent, len(line) - len(line.lstrip(" \t"))) :]
        start = offset + len(line) - len(kept)
        text.append(kept)
        places.extend(range(start, start + len(kept)))
        offset += len(line)
    whole = "".join(text).rstrip()
    end = places[len(whole)] if len(whole) < len(places) else offset
    return FormulaText(file, whole, Source(content), places=(*places[: len(whole)], end))


def formula_of_file(reference: str, folder: Path) -> FormulaText:
    """The formula of `PATH` or `PATH#SELECTOR`, the path seen from `folder`.

    The selector is a part of the place of the formula in its document, and must fit only one. Raises ValueError with
    the cure.
    """
    name, _, selector = reference.partition("#")
    path = folder / name
    try:
        content = path.read_bytes().decode("utf-8-sig")
    except OSError as reason:
        raise ValueError(f"{path}: {reason.strerror or reason}; the path is seen from {folder}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path}: is not UTF-8") from None
    try:
        formulas = read_formulas(str(path), content)
    except FormulaFileError as reason:
        raise ValueError(str(reason)) from None
    return _chosen(path, formulas, selector)


def _chosen(path: Path, formulas: list[FormulaText], selector: str) -> FormulaText:
    fitting = formulas_at(formulas, selector)
    if len(fitting) == 1:
        return fitting[0]
    known = ", ".join(formula.where or "the whole file" for formula in fitting or formulas)
    if not fitting:
        raise ValueError(f"{path}: no formula at {selector}; there are: {known}")
    raise ValueError(f"{path}: has several formulas; choose one with {path.name}#PLACE: {known}")

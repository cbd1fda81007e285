"""Formulas in YAML: workload files, pools, and whatever has an `autoScaleFormula`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from ..source import Source
from .formula_text import DocumentReading, FormulaFileError
from .found import Found
from .paths import is_formula, rendered
from .scenarios import is_compared, is_formula_text, is_scenario
from .templates import Run
from .yaml_scalars import NotAligned, YamlNotation, locate

LOOKED_FOR = "`autoScaleFormula`, or `formula` in `autoScale`"

_MOST_DEPTH = 200
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_RESOLVER: Any = yaml.resolver.Resolver()
_TEXT = "tag:yaml.org,2002:str"
# libyaml, where it is, counts characters as the other one does, and is ten times as fast.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class _Frame:
    """An open mapping or sequence. `key`: of the value that is read; `key_column`: where that key stands."""

    is_mapping: bool
    key: str | int
    key_column: int = 0
    wants_key: bool = False


@dataclass(frozen=True, slots=True)
class _Value:
    """A scalar (or an alias) that is the value of something."""

    path: tuple[str | int, ...]
    key_column: int
    event: yaml.ScalarEvent | yaml.AliasEvent


def read_yaml(file: str, document: Source) -> DocumentReading:
    """Raises FormulaFileError."""
    found = Found(file, document, LOOKED_FOR)
    anchors: dict[str, _Value] = {}
    values = list(_values(file, document))
    compared = is_compared if is_scenario({value.path[0] for value in values if value.path}) else _never
    for value in values:
        event: Any = value.event
        target: _Value | None = value
        if isinstance(event, yaml.AliasEvent):
            target = anchors.get(str(event.anchor))
        elif event.anchor is not None:
            anchors[event.anchor] = value
        if target is None:
            continue
        text = getattr(target.event, "value", "")
        if is_formula(value.path) or (compared(value.path) and is_formula_text(text)):
            _add(found, target)
        elif compared(value.path) and text.strip():
            found.add_file(rendered(value.path), event.start_mark.index, text)
    return found.reading()


def _never(path: tuple[str | int, ...]) -> bool:
    return False


def _add(found: Found, value: _Value) -> None:
    event: Any = value.event
    style = event.style or ""
    if not style and event.value in _NULL:
        return
    text = found.document.text
    if not found.is_new(rendered(value.path), event.start_mark.index, event.end_mark.index):
        return
    if not style and event.tag is None and _RESOLVER.resolve(yaml.ScalarNode, event.value, (True, False)) != _TEXT:
        found.add_no_text(rendered(value.path), event.start_mark.index, event.end_mark.index)
        return
    try:
        scalar = locate(text, event.start_mark.index, event.end_mark.index, event.value, style)
    except NotAligned:
        where = rendered(value.path)
        line, column = found.document.position(event.start_mark.index)
        message = f"{where} is written in a way that cannot be followed; write it as a block: `|`"
        raise FormulaFileError(f"{found.file}:{line}:{column}: {message}") from None
    header = re.match(r"[^\r\n]*", text[scalar.start : scalar.end]) if scalar.style in ("|", ">") else None
    notation = YamlNotation(
        scalar.start,
        scalar.end,
        scalar.style,
        scalar.indent,
        header[0] if header else "",
        value.key_column,
    )
    run = Run(event.value, scalar.places[:-1])
    found.add(rendered(value.path), [run], scalar.places[-1], notation)


def _values(file: str, document: Source) -> Iterator[_Value]:
    """Raises FormulaFileError. The events come one by one, so that no nesting is too deep for Python's own stack."""
    frames: list[_Frame] = []
    number = -1
    try:
        for event in yaml.parse(document.text, Loader=_LOADER):
            if isinstance(event, yaml.DocumentStartEvent):
                number += 1
            elif isinstance(event, yaml.ScalarEvent | yaml.AliasEvent):
                frame = frames[-1] if frames else None
                if frame is not None and frame.wants_key:
                    frame.key = event.value if isinstance(event, yaml.ScalarEvent) else f"*{event.anchor}"
                    frame.key_column = event.start_mark.column if event.start_mark is not None else 0
                elif frame is not None:
                    path = tuple(frame.key for frame in frames)
                    yield _Value(path if number == 0 else (number, *path), frame.key_column, event)
                _done(frames)
            elif isinstance(event, yaml.CollectionStartEvent):
                if len(frames) >= _MOST_DEPTH:
                    raise FormulaFileError(f"{file}: is nested deeper than {_MOST_DEPTH}")
                is_mapping = isinstance(event, yaml.MappingStartEvent)
                frames.append(_Frame(is_mapping, "" if is_mapping else 0, wants_key=is_mapping))
            elif isinstance(event, yaml.CollectionEndEvent):
                frames.pop()
                _done(frames)
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark is not None else ""
        raise FormulaFileError(f"{file}{place}: is not YAML: {exc.problem or exc.context}") from None
    except yaml.YAMLError as exc:
        raise FormulaFileError(f"{file}: is not YAML: {' '.join(str(exc).split())}") from None
    except UnicodeEncodeError:
        raise FormulaFileError(f"{file}: is not YAML: half of a surrogate pair") from None


def _done(frames: list[_Frame]) -> None:
    """A node ends: what comes next is the next item, or the value after its key, or the next key."""
    if frames:
        frame = frames[-1]
        if isinstance(frame.key, int) and not frame.is_mapping:
            frame.key += 1
        else:
            frame.wants_key = not frame.wants_key

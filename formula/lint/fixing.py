"""Mending what can be mended without judgement: the edits of the findings, put into the text."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..codes.syntax import SYNTAX
from ..diagnostics import Diagnostic, Edit
from . import lint

# A mended finding can uncover the next one: behind a `;` that was missing stands a statement nobody had read.
_MOST_ROUNDS = 100


@dataclass(frozen=True, slots=True)
class FixResult:
    """`text`: the mended formula. `applied`: what was mended, in the order of the rounds, each with the offsets of the
    text that its round began with. `left`: what is wrong with `text`, for a person to mend.
    """

    text: str
    applied: tuple[Diagnostic, ...]
    left: tuple[Diagnostic, ...]


def fix(
    text: str,
    *,
    now: float | None = None,
    unknown: frozenset[int] = frozenset(),
    wanted: Callable[[Diagnostic], bool] = lambda found: True,
) -> FixResult:
    """Mend every `wanted` finding that has edits, until nothing is left to mend. Never raises.

    `now` and `unknown` are those of `lint`. The number at an unknown offset is a template's and never changed.
    A formula that parsed still does: a round that would make a new error of it is not kept.
    """
    applied: list[Diagnostic] = []
    found = lint(text, unknown=unknown, now=now)
    for _ in range(_MOST_ROUNDS):
        mendable = [
            diagnostic
            for diagnostic in found
            if diagnostic.edits and wanted(diagnostic) and not _touches(diagnostic.edits, unknown)
        ]
        changed, mended = apply_fixes(text, mendable)
        if not mended:
            break
        moved = _moved(unknown, [edit for diagnostic in mended for edit in diagnostic.edits])
        after = lint(changed, unknown=moved, now=now)
        if _parsed(found) and _errors(after) > _errors(found):
            break
        text, found, unknown = changed, after, moved
        applied.extend(mended)
    return FixResult(text, tuple(applied), tuple(found))


def apply_fixes(text: str, diagnostics: Iterable[Diagnostic]) -> tuple[str, tuple[Diagnostic, ...]]:
    """The text with the edits of the findings, and the findings whose edits are in it.

    Of two findings that would change the same place only the first is mended; each is mended wholly or not at all.
    """
    chosen: list[Edit] = []  # in their order; none touches another
    mended: list[Diagnostic] = []
    for diagnostic in diagnostics:
        edits = diagnostic.edits
        if not edits or any(_collides(edit, chosen) for edit in edits):
            continue
        for edit in edits:
            insort(chosen, edit, key=_start)
        mended.append(diagnostic)
    parts: list[str] = []
    done = 0
    for edit in chosen:
        parts += (text[done : edit.start], edit.text)
        done = edit.end
    return "".join((*parts, text[done:])), tuple(mended)


def _start(edit: Edit) -> int:
    return edit.start


def _collides(edit: Edit, chosen: list[Edit]) -> bool:
    """Does one of these change the same place? Insertions at the edges of a change do: their order would be a guess."""
    after = bisect_right(chosen, edit.end, key=_start)
    return after > 0 and chosen[after - 1].end >= edit.start


def _touches(edits: Iterable[Edit], offsets: frozenset[int]) -> bool:
    return any(edit.start <= offset < edit.end for edit in edits for offset in offsets)


def _moved(offsets: frozenset[int], edits: Iterable[Edit]) -> frozenset[int]:
    """Where the offsets are after the edits."""
    changes = [(edit.end, len(edit.text) - (edit.end - edit.start)) for edit in edits]
    return frozenset(offset + sum(by for end, by in changes if end <= offset) for offset in offsets)


def _parsed(found: Iterable[Diagnostic]) -> bool:
    return not any(diagnostic.is_error and diagnostic.code in SYNTAX for diagnostic in found)


def _errors(found: Iterable[Diagnostic]) -> int:
    return sum(diagnostic.is_error for diagnostic in found)

"""What a formula may do that its author does not want: rules over a checked program.

A rule is a function of the `Facts` about a program; it reports what it finds with a code of `formula.codes`. Rules
never raise, and never call anything an error: the service accepts what they warn of.
"""

from __future__ import annotations

from ..checker import CheckedProgram, check_program
from ..diagnostics import Diagnostic, DiagnosticList
from ..parser import parse
from ..source import Source
from .facts import Facts
from .rules import RULES
from .suppression import Suppression


def lint(text: str, *, unknown: frozenset[int] = frozenset(), now: float | None = None) -> list[Diagnostic]:
    """Everything that `check` finds and everything that the rules find, in the order of the text. Never raises.

    `unknown`: offsets of numbers that stand for the placeholders of a template, and may be any number. `now`: the
    present (seconds since the epoch, UTC), without which nobody can say which dates are past.
    """
    return list(lint_program(check_program(parse(Source(text))), unknown=unknown, now=now))


def lint_program(
    checked: CheckedProgram, *, unknown: frozenset[int] = frozenset(), now: float | None = None
) -> tuple[Diagnostic, ...]:
    """The findings of the checker and of the rules, but for those that a comment silences."""
    findings = DiagnosticList(checked.source)
    facts = Facts(checked, unknown=unknown, now=now)
    for rule in RULES:
        rule(facts, findings.add)
    for found in checked.diagnostics:
        findings.add(found.code, found.start, found.end, found.message, found.hint, found.edits)
    suppression = Suppression(checked.source, [item.statement for item in checked.statements])
    suppression.report(findings.add)
    return tuple(found for found in findings.sorted() if not suppression.hides(found))

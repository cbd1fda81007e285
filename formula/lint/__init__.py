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


def lint(text: str) -> list[Diagnostic]:
    """Everything that `check` finds and everything that the rules find, in the order of the text. Never raises."""
    return list(lint_program(check_program(parse(Source(text)))))


def lint_program(checked: CheckedProgram) -> tuple[Diagnostic, ...]:
    """The findings of the checker and of the rules."""
    findings = DiagnosticList(checked.source)
    facts = Facts(checked)
    for rule in RULES:
        rule(facts, findings.add)
    for found in checked.diagnostics:
        findings.add(found.code, found.start, found.end, found.message, found.hint, found.edits)
    return findings.sorted()

"""Findings as JUnit XML, which CI systems read: one test case for each formula."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from .finding import Finding, Outcome
from .junit_xml import child, rendered


def findings_junit(outcome: Outcome) -> str:
    root = Element("testsuites", name="ebbtide formula check")
    for document in outcome.documents:
        name = document.document.name
        failed = sum(any(map(outcome.fails, formula.findings)) for formula in document.formulas)
        suite = _suite(root, name, len(document.formulas), failures=failed)
        for formula in document.formulas:
            case = child(suite, "testcase", name=formula.where or name, classname=name, file=name)
            failing = [finding for finding in formula.findings if outcome.fails(finding)]
            others = [finding for finding in formula.findings if not outcome.fails(finding)]
            if failing:
                child(case, "failure", "\n".join(map(_line, failing)), message=failing[0].message)
            if others:
                child(case, "system-out", "\n".join(map(_line, others)))
    for problem in outcome.problems:
        suite = _suite(root, problem.name, 1, errors=1)
        case = child(suite, "testcase", name=problem.name, classname=problem.name, file=problem.name)
        child(case, "error", message=problem.message)
    return rendered(root)


def _suite(root: Element, name: str, tests: int, failures: int = 0, errors: int = 0) -> Element:
    return child(root, "testsuite", name=name, tests=str(tests), failures=str(failures), errors=str(errors))


def _line(finding: Finding) -> str:
    hint = f" ({finding.hint})" if finding.hint else ""
    return f"{finding.file}:{finding.line}:{finding.column}: {finding.severity} {finding.code}: {finding.message}{hint}"

"""Findings as JUnit XML, which CI systems read: one test case for each formula."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from .finding import Finding, Outcome

# What XML 1.0 cannot hold at all.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def findings_junit(outcome: Outcome) -> str:
    root = ElementTree.Element("testsuites", name="ebbtide formula check")
    for document in outcome.documents:
        name = document.document.name
        failed = sum(any(map(outcome.fails, formula.findings)) for formula in document.formulas)
        suite = _suite(root, name, len(document.formulas), failures=failed)
        for formula in document.formulas:
            case = ElementTree.SubElement(
                suite, "testcase", name=_clean(formula.where or name), classname=_clean(name), file=_clean(name)
            )
            failing = [finding for finding in formula.findings if outcome.fails(finding)]
            others = [finding for finding in formula.findings if not outcome.fails(finding)]
            if failing:
                failure = ElementTree.SubElement(case, "failure", message=_clean(failing[0].message))
                failure.text = _clean("\n".join(map(_line, failing)))
            if others:
                ElementTree.SubElement(case, "system-out").text = _clean("\n".join(map(_line, others)))
    for problem in outcome.problems:
        suite = _suite(root, problem.name, 1, errors=1)
        name = _clean(problem.name)
        case = ElementTree.SubElement(suite, "testcase", name=name, classname=name, file=name)
        ElementTree.SubElement(case, "error", message=_clean(problem.message))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True)


def _suite(root: ElementTree.Element, name: str, tests: int, failures: int = 0, errors: int = 0) -> ElementTree.Element:
    counts = {"tests": str(tests), "failures": str(failures), "errors": str(errors)}
    return ElementTree.SubElement(root, "testsuite", {"name": _clean(name), **counts})


def _line(finding: Finding) -> str:
    hint = f" ({finding.hint})" if finding.hint else ""
    return f"{finding.file}:{finding.line}:{finding.column}: {finding.severity} {finding.code}: {finding.message}{hint}"


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)

"""The results of case files as JUnit XML, which CI systems read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from formula.cases import failure_text

from .junit_xml import child, rendered

if TYPE_CHECKING:
    from formula.cases import CaseFile, CaseResult


def junit_report(results: Sequence[tuple[CaseFile, Sequence[CaseResult]]]) -> str:
    """One test suite for each case file, one test case for each case."""
    root = Element("testsuites", name="ebbtide formula test")
    for file, group in results:
        failed = sum(not result.passed for result in group)
        suite = child(
            root, "testsuite", name=file.file, tests=str(len(group)), failures=str(failed), errors="0"
        )
        for result in group:
            case = child(
                suite,
                "testcase",
                name=result.case.name,
                classname=file.file,
                file=file.file,
                line=str(result.case.line),
            )
            if not result.passed:
                message = f"{len(result.failures)} expectations were not met"
                child(case, "failure", failure_text(result), message=message)
    return rendered(root) + "\n"

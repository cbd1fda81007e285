"""The results of case files as JUnit XML, which CI systems read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from formula.cases import failure_text

if TYPE_CHECKING:
    from formula.cases import CaseFile, CaseResult

# What XML 1.0 cannot hold at all.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_report(results: Sequence[tuple[CaseFile, Sequence[CaseResult]]]) -> str:
    """One test suite for each case file, one test case for each case."""
    root = ElementTree.Element("testsuites", name="ebbtide formula test")
    for file, group in results:
        failed = sum(not result.passed for result in group)
        suite = ElementTree.SubElement(
            root, "testsuite", name=_clean(file.file), tests=str(len(group)), failures=str(failed), errors="0"
        )
        for result in group:
            case = ElementTree.SubElement(
                suite,
                "testcase",
                name=_clean(result.case.name),
                classname=_clean(file.file),
                file=_clean(file.file),
                line=str(result.case.line),
            )
            if not result.passed:
                message = f"{len(result.failures)} expectations were not met"
                failure = ElementTree.SubElement(case, "failure", message=message)
                failure.text = _clean(failure_text(result))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)

"""A pytest plugin: every case of a `*.formula-test` file is a test.

It comes with the installed package, and loads the language only for those who have such files. `--formula-coverage`
tells at the end which branches no case takes; `--formula-fail-under N` lets the run fail under a percentage. Works
under pytest-xdist.

PYTEST_DONT_REWRITE: there is no assertion in here.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from formula.cases import Case

# `formula` knows it too, but would have to be loaded for it.
SUFFIX = ".formula-test"
_RESULT = pytest.StashKey[Any]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("formula", "autoscale formulas")
    group.addoption(
        "--formula-coverage", action="store_true", help="tell which branches of the formulas no case takes"
    )
    group.addoption(
        "--formula-fail-under",
        type=float,
        metavar="N",
        help="fail if less than N percent of the formulas' branches are taken",
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.name.endswith(SUFFIX):
        return CaseFileCollector.from_parent(parent, path=file_path)
    return None


class CaseFailed(Exception):
    """Carries the diff."""


class CaseFileCollector(pytest.File):
    """A case file."""

    def collect(self) -> Iterator[pytest.Item]:
        from formula.cases import CaseFileError, read_case_file

        try:
            cases = read_case_file(Path(os.path.relpath(self.path, self.config.invocation_params.dir))).cases
        except CaseFileError as problems:
            raise self.CollectError(str(problems)) from None
        seen: dict[str, int] = {}
        for case in cases:
            seen[case.name] = seen.get(case.name, 0) + 1
            name = case.name if seen[case.name] == 1 else f"{case.name} ({seen[case.name]})"
            yield CaseItem.from_parent(self, name=name, case=case)


class CaseItem(pytest.Item):
    """A case."""

    def __init__(self, *, case: Case, **fixed: Any) -> None:
        super().__init__(**fixed)
        self.case = case

    def runtest(self) -> None:
        from formula.cases import failure_text, run_case

        result = run_case(self.case)
        self.stash[_RESULT] = result
        if not result.passed:
            raise CaseFailed(failure_text(result))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, CaseFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.case.line - 1, self.case.name


def _wanted(config: pytest.Config) -> bool:
    return bool(config.getoption("formula_coverage")) or config.getoption("formula_fail_under") is not None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    result = item.stash.get(_RESULT, None)
    if report.when == "call" and result is not None and _wanted(item.config):
        from formula.cases import coverage_record

        # Plain values, which pytest-xdist brings from its workers.
        report.formula_coverage = coverage_record(result)  # type: ignore[attr-defined]  # a report takes more
    return report


def pytest_configure(config: pytest.Config) -> None:
    if _wanted(config) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(CoverageReport(config), "formula-coverage")


class CoverageReport:
    """Gathers the coverage of all cases, and tells it at the end."""

    def __init__(self, config: pytest.Config) -> None:
        from formula.cases import CoveredFormulas

        self._covered = CoveredFormulas()
        self._least: float | None = config.getoption("formula_fail_under")

    @property
    def _is_too_little(self) -> bool:
        return self._least is not None and self._covered.percent < self._least

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._covered.add(getattr(report, "formula_coverage", None))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._is_too_little and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._covered.formulas:
            return
        terminalreporter.section("coverage of formulas")
        for line in self._covered.lines():
            terminalreporter.line(line)
        if self._is_too_little:
            terminalreporter.line(f"that is less than {self._least:g} %", red=True)

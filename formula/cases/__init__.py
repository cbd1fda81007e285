"""Case files: tests of formulas as text. The format is told in docs/formula-testing.md.

    for case in read_case_file(Path("pool.formula-test")).cases:
        result = run_case(case)
        print(result.passed or failure_text(result))
"""

from .case import SUFFIX, Case, CaseFile, CaseFileError, Step
from .covered_formulas import CoverageRecord, CoveredFormulas, FormulaCoverage, coverage_record
from .failure_diff import LineKind, failure_lines, failure_text
from .finding_files import case_files
from .placeholders import fill_placeholders, read_given
from .reading import read_case_file, read_cases
from .running import CaseResult, Failure, run_case
from .updating import updated

__all__ = [
    "SUFFIX",
    "Case",
    "CaseFile",
    "CaseFileError",
    "CaseResult",
    "CoverageRecord",
    "CoveredFormulas",
    "Failure",
    "FormulaCoverage",
    "LineKind",
    "Step",
    "case_files",
    "coverage_record",
    "failure_lines",
    "failure_text",
    "fill_placeholders",
    "read_case_file",
    "read_cases",
    "read_given",
    "run_case",
    "updated",
]

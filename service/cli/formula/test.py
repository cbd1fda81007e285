from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..door import BadInput, colour
from ..options import json_option

if TYPE_CHECKING:
    from formula.cases import CaseFile, CaseResult, CoveredFormulas

_COLOURS = {"head": "cyan", "expected": "red", "actual": "green"}


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(readable=False, path_type=Path))
@click.option("--coverage", is_flag=True, help="Tell which branches of the formulas no case takes.")
@click.option("--fail-under", type=click.FloatRange(0, 100), help="Fail if less than this percentage is covered.")
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), help="Write a JUnit XML report here.")
@click.option("--update", is_flag=True, help="Write the values that came out into the case files.")
@json_option
def test(
    paths: tuple[Path, ...], coverage: bool, fail_under: float | None, junit: Path | None, update: bool, as_json: bool
) -> None:
    """Run the case files at PATH, and in directories all *.formula-test. Exit code 1 if a case fails."""
    from formula.cases import CaseFileError, CoveredFormulas, case_files, coverage_record, read_case_file, run_case

    try:
        files = [read_case_file(path) for path in case_files(paths)]
    except CaseFileError as exc:
        raise BadInput("\n".join(exc.problems)) from None
    covered = CoveredFormulas()
    results: list[tuple[CaseFile, list[CaseResult]]] = []
    for file in files:
        results.append((file, [run_case(case) for case in file.cases]))
        for result in results[-1][1]:
            covered.add(coverage_record(result))
    flat = [result for _, group in results for result in group]
    if as_json:
        click.echo(json.dumps(_as_json(flat, covered), indent=2))
    else:
        _tell(flat)
        if coverage or fail_under is not None:
            click.echo("\n".join(covered.lines()))
    if junit is not None:
        from .junit_report import junit_report

        with _written(junit):
            junit.write_text(junit_report(results), encoding="utf-8")
    if update:
        _update(results)
    missed = fail_under is not None and covered.percent < fail_under
    if missed:
        click.echo(f"coverage is {covered.percent:.1f} %, less than {fail_under:g} %", err=True)
    if missed or not all(result.passed for result in flat):
        raise SystemExit(1)


def _tell(results: list[CaseResult]) -> None:
    from formula.cases import failure_lines

    coloured = colour(sys.stdout)
    for result in results:
        if not result.passed:
            head = f"FAILED {result.case.file}:{result.case.line}: {result.case.name}"
            click.echo(click.style(head, fg="red", bold=True), color=coloured)
            for kind, line in failure_lines(result):
                click.echo(click.style(f"  {line}", fg=_COLOURS.get(kind)), color=coloured)
            click.echo()
    failed = sum(not result.passed for result in results)
    text = f"{len(results)} case{'' if len(results) == 1 else 's'}: {len(results) - failed} passed, {failed} failed"
    click.echo(click.style(text, fg="red" if failed else "green"), color=coloured)


@contextmanager
def _written(path: Path) -> Iterator[None]:
    """Raises BadInput if the file cannot be written in here."""
    try:
        yield
    except OSError as exc:
        raise BadInput(f"{path}: cannot be written: {exc.strerror or exc}") from None


def _update(results: list[tuple[CaseFile, list[CaseResult]]]) -> None:
    from formula.cases import updated

    from .reading import store

    for file, group in results:
        text, changed = updated(file, group)
        if changed:
            with _written(Path(file.file)):
                store(Path(file.file), text)
            click.echo(f"{file.file}: wrote {changed} expectations anew; look at them before you keep them", err=True)


def _as_json(results: list[CaseResult], covered: CoveredFormulas) -> dict[str, Any]:
    from formula import format_time

    return {
        "cases": [
            {
                "file": result.case.file,
                "line": result.case.line,
                "name": result.case.name,
                "passed": result.passed,
                "failures": [
                    {
                        "line": failure.mismatch.line,
                        "time": None if failure.time is None else format_time(failure.time),
                        "expectation": failure.mismatch.expectation,
                        "expected": list(failure.mismatch.expected),
                        "actual": list(failure.mismatch.actual),
                        "notes": list(failure.mismatch.notes),
                    }
                    for failure in result.failures
                ],
            }
            for result in results
        ],
        "passed": sum(result.passed for result in results),
        "failed": sum(not result.passed for result in results),
        "coverage": {
            "percent": round(covered.percent, 2),
            "formulas": [item.to_json() for item in covered.formulas],
        },
    }

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from ..door import colour
from ..options import complete_files
from .finding import CheckedDocument, Outcome, check_document
from .reading import Document, Problem, changed, documents, store, tell

if TYPE_CHECKING:
    from formula import Diagnostic

_FORMATS = ("text", "json", "junit", "sarif", "github")


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="FILE...", shell_complete=complete_files)
@click.option("--format", "form", type=click.Choice(_FORMATS), default="text", help="How to tell what was found.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--fix", "mend", is_flag=True, help="Mend what can be mended without judgement, in the files.")
@click.option("--strict", is_flag=True, help="Warnings fail too.")
@click.option("--select", multiple=True, metavar="CODES", help="Only these codes, such as F2,F401.")
@click.option("--ignore", multiple=True, metavar="CODES", help="All codes but these.")
def check(
    paths: tuple[str, ...],
    form: str,
    as_json: bool,
    mend: bool,
    strict: bool,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
) -> None:
    """Tell every fault of formulas, with place and cure. Exit code 1 if there is an error.

    FILE is a formula, a document with formulas (pool JSON, ARM template, Terraform, Bicep, YAML), a scenario or a
    directory. Of a scenario the files that it names are checked too.
    """
    from ...clock import now as present

    now = present()
    wanted = _wanted(select, ignore)
    form = "json" if as_json else form
    if mend and "-" in paths and (len(paths) > 1 or form != "text"):
        raise click.UsageError("--fix writes standard input to standard output; give no other file and no --format")
    problems: list[Problem] = []
    checked: list[CheckedDocument] = []
    for document in documents(paths, problems, follow=True):
        # What nobody has named is read, and not written.
        mended = document if document.followed or not mend else _mended(document, now, wanted, problems)
        checked.append(check_document(mended, now, wanted))
    outcome = Outcome(checked, problems, strict)
    _report(outcome, form, to_errors=mend and "-" in paths)
    if problems:
        raise SystemExit(2)
    if any(map(outcome.fails, outcome.findings())):
        raise SystemExit(1)


def _wanted(select: tuple[str, ...], ignore: tuple[str, ...]) -> Callable[[str], bool]:
    """Whether a code is told. Codes are chosen by what they begin with."""
    from formula import CODES
    from formula.codes import DOCUMENTS

    def codes(option: str, given: tuple[str, ...]) -> tuple[str, ...]:
        beginnings = tuple(code.strip().upper() for text in given for code in text.split(",") if code.strip())
        for beginning in beginnings:
            if not any(code.startswith(beginning) for code in (*CODES, *DOCUMENTS)):
                raise click.BadParameter(f"no code begins with {beginning!r}", param_hint=option)
        return beginnings

    selected, ignored = codes("--select", select), codes("--ignore", ignore)
    return lambda code: (not select or code.startswith(selected)) and not code.startswith(ignored)


def _mended(document: Document, now: float, wanted: Callable[[str], bool], problems: list[Problem]) -> Document:
    """The document as it is after mending; what was mended is told on standard error."""
    from formula import fix
    from formula.embedded import FormulaFileError, read_document

    def chosen(found: Diagnostic) -> bool:
        return wanted(found.code)

    texts = {}
    applied: Counter[str] = Counter()
    for formula in document.reading.formulas:
        result = fix(formula.text, now=now, unknown=formula.unknown, wanted=chosen)
        if result.text != formula.text:
            texts[formula] = result.text
            applied.update(found.code for found in result.applied)
    try:
        content = changed(document, texts)
        if document.path is None:
            # Bytes, so that line ends stay what they are.
            click.echo(content.encode(), nl=False)
        elif texts:
            store(document.path, content)
        if not texts:
            return document
    except FormulaFileError as exc:
        problems.append(Problem(document.name, str(exc)))
        return document
    except OSError as exc:
        problems.append(Problem(document.name, f"{document.name}: cannot be written: {exc.strerror or exc}"))
        return document
    counts = ", ".join(f"{code} ({number})" if number > 1 else code for code, number in sorted(applied.items()))
    click.echo(f"{document.name}: mended {counts}", err=True)
    return replace(document, content=content, reading=read_document(document.name, content))


def _report(outcome: Outcome, form: str, to_errors: bool) -> None:
    if form == "text":
        from .text_report import summary, text_report

        stream = sys.stderr if to_errors else sys.stdout
        for line in text_report(outcome):
            click.echo(line, err=to_errors, color=colour(stream))
        tell(outcome.problems)
        if outcome.documents:
            click.echo(summary(outcome), err=True)
        return
    if form == "json":
        click.echo(json.dumps([finding.to_json() for finding in outcome.findings()], indent=2))
    elif form == "junit":
        from .findings_junit import findings_junit

        click.echo(findings_junit(outcome))
    elif form == "sarif":
        from .sarif_report import sarif_report

        click.echo(sarif_report(outcome))
    else:
        from .github_report import github_report

        for line in github_report(outcome):
            click.echo(line)
    tell(outcome.problems)

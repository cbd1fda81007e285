from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .door import BadInput, colour
from .options import config_option, json_option, read_settings, state_option

if TYPE_CHECKING:
    from providers import Finding

    from ..boot_times import BootTimes
    from ..state import StateDirectory

_TONES = {"ok": "green", "warning": "yellow", "error": "red"}


@click.group()
def provider() -> None:
    """Look at the clouds that nodes come from."""


@provider.command("list")
@state_option
@config_option
@json_option
def list_(state: Path, config: Path | None, as_json: bool) -> None:
    """Print the providers: what they can do, whether they answer, prices, how long nodes took to come up.

    Needs no state. Exit code 1 if one does not answer, or its settings cannot be used.
    """
    from ..columns import columns
    from ..provider_options import provider_options, try_open
    from ..provider_report import HEADINGS, provider_rows
    from ..state import StateDirectory

    settings, directory = read_settings(config), StateDirectory(state)
    options, opened = provider_options(directory, settings), try_open(directory, settings, in_haste=True)
    rows = provider_rows(options, opened, settings.default_provider, _boots(directory))
    if as_json:
        click.echo(json.dumps([row.to_json() for row in rows], indent=2))
    else:
        for line in columns([HEADINGS, *(row.cells() for row in rows)]):
            click.echo(line)
    failed = [row for row in rows if row.error is not None]
    for row in failed:
        what = "does not answer" if row.usable else "cannot be used"
        click.echo(f"ebbtide: {row.name} {what}: {row.error}", err=True)
    if failed:
        sys.exit(1)


def _boots(directory: StateDirectory) -> dict[str, list[BootTimes]]:
    if not directory.database.exists():
        return {}
    from pools import JournalError
    from runner import open_journal

    from ..boot_times import boot_times

    try:
        journal = open_journal(directory.database_url, upgrade=False)
    except JournalError:  # needs no state, and is asked for when one is damaged
        return {}
    try:
        return boot_times(journal.boots())
    finally:
        journal.close()


@provider.command()
@click.argument("name")
@state_option
@config_option
@json_option
def check(name: str, state: Path, config: Path | None, as_json: bool) -> None:
    """See whether nodes could be created, without creating any: credentials, image, network, quota, price.

    Needs no state. Exit code 1 if something is wrong, 2 if the settings cannot be used.
    """
    from providers import ProviderError

    from ..decoding import listed, nearest
    from ..provider_options import provider_options, try_open
    from ..state import StateDirectory

    settings, directory = read_settings(config), StateDirectory(state)
    opened = try_open(directory, settings, in_haste=True)
    if name not in opened:
        near = nearest(name, opened)
        cure = f"did you mean {near}?" if near else f"there are {listed(opened)}"
        raise BadInput(f"there is no provider {name!r}; {cure}")
    found = opened[name]
    if isinstance(found, ProviderError):
        raise found
    findings = []
    for finding in found.check():
        findings.append(finding)
        if not as_json:
            _show(finding)
    if as_json:
        driver = provider_options(directory, settings)[name].get("driver", name)
        told = {"provider": name, "driver": driver, "findings": [_to_json(finding) for finding in findings]}
        click.echo(json.dumps(told, indent=2))
    wrong = sum(finding.severity == "error" for finding in findings)
    if wrong:
        raise click.ClickException(f"provider {name}: {wrong} of {len(findings)} findings would keep nodes from coming")


def _show(finding: Finding) -> None:
    severity = f"{finding.severity:<8}"
    if colour(sys.stdout):
        severity = click.style(severity, fg=_TONES[finding.severity])
    click.echo(f"{severity} {finding.topic:<12} {finding.text}")
    if finding.cure is not None:
        click.echo(f"{'':21} -> {finding.cure}")


def _to_json(finding: Finding) -> dict[str, Any]:
    return {
        "topic": finding.topic,
        "severity": str(finding.severity),
        "text": finding.text,
        "cure": finding.cure,
    }

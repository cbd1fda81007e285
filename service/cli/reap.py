from __future__ import annotations

import json
import re
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .door import BadInput
from .options import config_option, json_option, read_settings, state_option

if TYPE_CHECKING:
    from providers import Provider, ProviderError

    from ..reaper import Orphan
    from ..settings import Settings
    from ..state import StateDirectory

_ID = re.compile(r"[0-9a-f]{12}", re.ASCII)


@click.command()
@click.option("--dry-run", is_flag=True, help="Only tell; works beside a running controller.")
@click.option("--grace", metavar="DURATION", help="Leave VMs alone that are younger; default: setting orphanGrace.")
@click.option("--deployment", metavar="ID", help="Every VM of this deployment, whose state directory is lost.")
@click.option("--over", is_flag=True, help="Only VMs that have ended or are switched off, which may cost all the same.")
@click.option("--yes", is_flag=True, help="Do not ask before the VMs of --deployment are ended.")
@state_option
@config_option
@json_option
def reap(
    dry_run: bool,
    grace: str | None,
    deployment: str | None,
    over: bool,
    yes: bool,
    state: Path,
    config: Path | None,
    as_json: bool,
) -> None:
    """End VMs that carry this deployment's tag and have no record.

    A running controller does so itself. Exit code 1 if a provider could not be asked or a VM not ended.
    """
    from ..state import StateDirectory

    settings, directory = read_settings(config), StateDirectory(state)
    seconds = _seconds(grace) if grace is not None else settings.orphan_grace.total_seconds()
    with ExitStack() as stack:
        if deployment is None:
            directory.require()
            if not dry_run:
                stack.enter_context(directory.lock("or look with --dry-run, which works beside it"))
            code = _reap(directory, settings, None, seconds, over=over, ask=False, dry_run=dry_run, as_json=as_json)
        else:
            _check(deployment, directory, settings)
            if not dry_run and not yes and (as_json or not sys.stdin.isatty()):
                raise BadInput("every VM of a deployment would be ended: look with --dry-run, then say --yes")
            code = _reap(None, settings, deployment, seconds, over=over, ask=not yes, dry_run=dry_run, as_json=as_json)
    sys.exit(code)


def _seconds(text: str) -> float:
    from ..iso8601 import parse_duration

    try:
        return parse_duration(text).total_seconds()
    except ValueError as exc:
        raise BadInput(f"--grace {exc}") from None


def _check(deployment: str, directory: StateDirectory, settings: Settings) -> None:
    """Nothing but a deployment whose state is lost may be ended by its id."""
    if not _ID.fullmatch(deployment):
        raise BadInput(
            f"--deployment {deployment!r} is no deployment's id, which is 12 hexadecimal digits: "
            "the tag ebbtide-deployment of its VMs"
        )
    if directory.exists() and directory.deployment().id == deployment:
        raise BadInput(
            f"the state of this deployment is {directory.path}: `ebbtide down` ends all of it, `ebbtide reap` without "
            "--deployment what has no record"
        )
    if not settings.providers:
        raise BadInput("name a --config FILE whose `providers` say where the deployment's VMs are")


def _reap(
    directory: StateDirectory | None,
    settings: Settings,
    deployment: str | None,
    grace: float,
    *,
    over: bool,
    ask: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    from ..clock import now
    from ..reaper import Reaper

    opened, closed = _open(directory, settings, deployment)
    reaper = Reaper(opened, lambda: _recorded(directory) if directory is not None else (), grace, now)
    orphans = reaper.find(over)
    if ask and not dry_run and any(orphan.done == "found" for orphan in orphans):
        _show(orphans)
        if not click.confirm(f"End them? They belong to deployment {deployment}", err=True):
            return 1
    if not dry_run:
        orphans = reaper.end(orphans)
    leftovers = reaper.sweep(dry_run) if not over else []  # a controller may work elsewhere, and need them next
    errors = reaper.errors | {name: str(error) for name, error in closed.items()}
    if as_json:
        report = {
            "vms": [orphan.to_json() for orphan in orphans],
            "leftovers": [asdict(each) for each in leftovers],
            "errors": errors,
        }
        click.echo(json.dumps(report, indent=2))
    else:
        _show(orphans)
        for each in leftovers:
            click.echo(str(each))
    for name, text in errors.items():
        click.echo(f"ebbtide: error: whether {name} has any is not known: {text}", err=True)
    return 1 if errors or any(orphan.done == "failed" for orphan in orphans) else 0


def _open(
    directory: StateDirectory | None, settings: Settings, deployment: str | None
) -> tuple[dict[str, Provider], dict[str, ProviderError]]:
    """The providers that can be asked, and those that cannot."""
    from providers import ProviderError

    from ..provider_options import try_open

    opened = try_open(directory, settings, deployment)
    if directory is None:  # nothing is known of a default that the settings do not describe
        opened = {name: each for name, each in opened.items() if name in settings.providers}
    good = {name: each for name, each in opened.items() if not isinstance(each, ProviderError)}
    return good, {name: each for name, each in opened.items() if isinstance(each, ProviderError)}


def _recorded(directory: StateDirectory) -> set[str]:
    """The VMs that a record stands for, and that may still be there as far as that says."""
    from runner import open_journal

    journal = open_journal(directory.database_url, upgrade=False)
    try:
        return {node.vm_name for node in journal.nodes() if not node.vm_gone}
    finally:
        journal.close()


def _show(orphans: list[Orphan]) -> None:
    from ..columns import columns
    from ..money import money

    if not orphans:
        click.echo("no VM is without a record")
        return
    rows = [("VM", "provider", "state", "age", "price per hour", "done")]
    for each in orphans:
        age = f"{each.age:.0f} s" if each.age is not None else "unknown"
        done = f"{each.done}: {each.note}" if each.note else each.done
        rows.append((each.vm.name, each.provider, str(each.vm.state), age, money(each.vm.price_per_hour), done))
    for line in columns(rows):
        click.echo(line)

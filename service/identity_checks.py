"""User accounts of pools, who runs as them, and containers, in a workload file."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TypeVar

import msgspec

from pools import (
    ContainerRegistry,
    ContainerSettings,
    UserAccount,
    UserIdentity,
    invalid_image,
    invalid_registry,
)
from runner import invalid_account, invalid_container

from .cursor import Cursor
from .decoding import decode, listed, nearest
from .positions import Scalar
from .problems import Problems

_S = TypeVar("_S", bound=msgspec.Struct)
KINDS = {"dockercompatible": "dockerCompatible", "cricompatible": "criCompatible"}


def check_accounts(pool: Cursor, problems: Problems) -> None:
    first: dict[str, Cursor] = {}
    for account in pool.each("userAccounts"):
        _check(account, UserAccount, invalid_account, problems)
        other = first.setdefault(account.text("name") or "", account)
        if other is not account:
            text = f"another account is called so, line {other.place.line}"
            problems.error(account.place, f"{account.path}.name", text)


def accounts_of(pool: Cursor) -> frozenset[str]:
    return frozenset(filter(None, (account.text("name") for account in pool.each("userAccounts"))))


def check_identities(commands: Iterable[Cursor | None], accounts: Collection[str] | None, problems: Problems) -> None:
    """`accounts`: names of the pool's, if the pool is known."""
    for command in commands:
        identity = command.get("userIdentity") if command is not None else None
        wanted = identity.get("username") if identity is not None else None
        if identity is None or wanted is None:
            continue
        name = identity.text("username") or ""
        if identity.get("autoUser") is not None:
            problems.error(wanted.place, wanted.path, "username and autoUser cannot stand side by side; leave one out")
        elif accounts is not None and name not in accounts:
            near = nearest(name, accounts)
            hint = f"did you mean {near}?" if near else f"there are {listed(accounts) or 'none'}"
            problems.error(wanted.place, wanted.path, f"the pool has no user account {name[:80]!r}; {hint}")


def check_container(command: Cursor, problems: Problems) -> None:
    """`containerSettings` of whatever runs a command."""
    settings = command.get("containerSettings")
    if settings is None:
        return
    wanted = command.get("userIdentity")
    identity = decode(wanted.tree, UserIdentity, Problems(), wanted.path) if wanted is not None else None
    _check(settings, ContainerSettings, lambda found: invalid_container(found, identity), problems)
    if command.get("multiInstanceSettings") is not None:
        problems.error(settings.place, settings.path, "cannot stand beside multiInstanceSettings; leave one out")


def check_container_configuration(machine: Cursor, problems: Problems) -> None:
    """Of a pool's virtualMachineConfiguration, which is kept as it stands."""
    group = machine.get("containerConfiguration")
    if group is None:
        return
    kind = group.get("type")
    if kind is not None and (group.text("type") or "").lower() not in KINDS:
        problems.error(kind.place, kind.path, f"must be {' or '.join(KINDS.values())}")
    for name in group.each("containerImageNames"):
        if isinstance(name.tree, Scalar):
            _say(name, invalid_image(name.tree.text), problems)
    for registry in group.each("containerRegistries"):
        _check(registry, ContainerRegistry, invalid_registry, problems)


def _check(cursor: Cursor, wanted: type[_S], fault: Callable[[_S], str | None], problems: Problems) -> None:
    """What cannot be read as it should has been said of the whole file already."""
    found = decode(cursor.tree, wanted, Problems(), cursor.path)
    if found is not None:
        _say(cursor, fault(found), problems)


def _say(cursor: Cursor, fault: str | None, problems: Problems) -> None:
    if fault is not None:
        problems.error(cursor.place, cursor.path, fault)

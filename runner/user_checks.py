"""What user accounts of pools, and who asks to run as them, must be like to be let in. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from pools import PoolSpecification, UserAccount, UserIdentity, invalid_password

from .agent.identity import BASE
from .agent.users import POOL
from .job_errors import require

if TYPE_CHECKING:
    from .spec import JobSpecification
    from .task_spec import TaskSpec

#: Most accounts of a pool (Batch REST API).
MOST_ACCOUNTS = 100
_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,30}", re.ASCII)


def invalid_accounts(accounts: Sequence[UserAccount]) -> str | None:
    """What is wrong with `userAccounts`, or None."""
    if len(accounts) > MOST_ACCOUNTS:
        return f"{len(accounts)} accounts; a pool has at most {MOST_ACCOUNTS}"
    seen: set[str] = set()
    for account in accounts:
        fault = invalid_account(account)
        if fault is None and account.name in seen:
            fault = "stands there twice"
        if fault is not None:
            return f"{account.name[:40]!r}: {fault}"
        seen.add(account.name)
    return None


def invalid_account(account: UserAccount) -> str | None:
    if not _NAME.fullmatch(account.name):
        return "a name is 1 to 31 lower-case letters, digits, `_` and `-`, and begins with no digit and no `-`"
    if account.name in ("root", POOL):
        return "that user is there already; choose another name"
    if account.password is not None and (fault := invalid_password(account.password)) is not None:
        return f"password: {fault}; leave it out for an account that nobody logs in to"
    linux = account.linux_user_configuration
    if linux is None:
        return None
    if (linux.uid is None) != (linux.gid is None):
        return "linuxUserConfiguration: uid and gid go together"
    for name, number in (("uid", linux.uid), ("gid", linux.gid)):
        if number is not None and not 0 < number < BASE - 1024:
            return f"linuxUserConfiguration.{name}: {number}: 1 to {BASE - 1025}"
    return None


def invalid_identity(identity: UserIdentity | None, accounts: Collection[str] | None = None) -> str | None:
    """What is wrong with `userIdentity`, or None. `accounts`: names of the pool's, if they are known."""
    if identity is None or identity.user_name is None:
        return None
    if identity.auto_user is not None:
        return "username and autoUser cannot stand side by side"
    if accounts is not None and identity.user_name not in accounts:
        known = ", ".join(sorted(accounts)) or "none"
        return f"username: the pool has no user account {identity.user_name[:40]!r}; its userAccounts are: {known}"
    return None


def check_users(spec: JobSpecification | None, tasks: Iterable[TaskSpec], pool: PoolSpecification) -> None:
    """Whoever the tasks of a job, and its own ones, want to run as, is there on the nodes of its pool. Raises
    JobError."""
    accounts = {account.name for account in pool.user_accounts}
    for task in tasks:
        require(f"task {task.id!r}", "userIdentity", invalid_identity(task.user_identity, accounts))
    if spec is None:
        return
    for name, own in (
        ("jobManagerTask", spec.job_manager_task),
        ("jobPreparationTask", spec.job_preparation_task),
        ("jobReleaseTask", spec.job_release_task),
    ):
        if own is not None:
            require(name, "userIdentity", invalid_identity(own.user_identity, accounts))

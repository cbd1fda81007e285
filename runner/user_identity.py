"""Who a command runs as, in the words of the node's agent. Pure."""

from __future__ import annotations

from typing import Any, Literal

from pools import PoolSpec, UserAccount, UserIdentity

Scope = Literal["pool", "task"]


def run_as(identity: UserIdentity | None) -> dict[str, Any] | None:
    """{"name"} of an account of the pool, or {"admin", "scope"}; without "scope" the deployment's setting decides.
    None: nothing is asked for."""
    if identity is None:
        return None
    if identity.user_name is not None:
        return {"name": identity.user_name}
    auto = identity.auto_user
    if auto is None:
        return None
    user: dict[str, Any] = {"admin": True} if auto.elevation_level == "admin" else {}
    return {**user, "scope": auto.scope} if auto.scope is not None else user or None


def node_users(pool: PoolSpec, scope: Scope, pool_user: bool = False) -> dict[str, Any]:
    """What the agents of the pool's nodes are told of users, passwords sealed. `scope`: of tasks that ask for none.
    `pool_user`: the pool's tasks have a user of their own also on a machine that is lent."""
    told: dict[str, Any] = {"accounts": [_account(each) for each in pool.user_accounts], "scope": scope}
    if pool_user:
        told["poolUser"] = True
    # they log in to each other
    return {**told, "pool": pool.id} if pool.enable_inter_node_communication else told


def without_passwords(users: dict[str, Any]) -> dict[str, Any]:
    accounts = [{**account, "password": None} for account in users.get("accounts", ())]
    return {**users, "accounts": accounts}


def _account(account: UserAccount) -> dict[str, Any]:
    linux = account.linux_user_configuration
    return {
        "name": account.name,
        "admin": account.elevation_level == "admin",
        "password": account.password,
        "uid": linux.uid if linux is not None else None,
        "gid": linux.gid if linux is not None else None,
    }

"""The tables of pools and nodes. `body` is the whole record as JSON; other columns repeat what is asked by.

A column is filled from the record's attribute that `info["source"]` names. The primary key comes first and is
filled from the key of the change. A column of bytes is kept out of the JSON.
A table that changes here needs a revision in runner/migrations/versions, or a test fails.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Double, Index, MetaData, Table, Text

#: All tables of the database; other packages add theirs.
metadata = MetaData(
    naming_convention={"pk": "%(table_name)s_key", "ix": "%(table_name)s_by_%(column_0_name)s"},
)


def key(name: str, kind: Any = Text) -> Column[Any]:
    return Column(name, kind, primary_key=True)


def copied(name: str, kind: Any = Text, *, source: str | None = None, optional: bool = False) -> Column[Any]:
    """A column that repeats the record's attribute `source` (may be dotted)."""
    return Column(name, kind, nullable=optional, info={"source": source or name})


def stamped() -> tuple[Column[Any], ...]:
    """What every object with a life of its own has. Times are seconds since the epoch."""
    return (
        copied("state", source="state.value"),
        copied("version", BigInteger),
        copied("created", Double),
        copied("modified", Double),
    )


def body() -> Column[Any]:
    return Column("body", Text, nullable=False)


pools = Table(
    "pools",
    metadata,
    key("id"),
    copied("allocation_state", source="allocation_state.value"),
    *stamped(),
    body(),
)

nodes = Table(
    "nodes",
    metadata,
    key("id"),
    copied("pool_id"),
    *stamped(),
    body(),
)

autoscale_runs = Table(
    "autoscale_runs",
    metadata,
    key("pool_id"),
    key("time", Double),
    body(),
    Index(None, "time"),
)

planner_passes = Table(
    "planner_passes",
    metadata,
    key("pool_id"),
    key("time", Double),
    body(),
    Index(None, "time"),
)

boots = Table(
    "boots",
    metadata,
    key("node_id"),
    copied("time", Double),
    body(),
    Index(None, "time"),
)

samples = Table(
    "samples",
    metadata,
    key("pool_id"),
    key("time", Double),
    body(),
    Index(None, "time"),
)


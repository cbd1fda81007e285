"""The tables of the first version."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _stamped() -> list[sa.Column[Any]]:
    return [
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("modified", sa.Double, nullable=False),
    ]


def _key(table: str, *names: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*names, name=f"{table}_key")


def _text(*names: str, optional: bool = False) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text, nullable=optional) for name in names]


def upgrade() -> None:
    op.create_table(
        "pools",
        *_text("id", "allocation_state"),
        *_stamped(),
        *_text("body"),
        _key("pools", "id"),
    )
    op.create_table("nodes", *_text("id", "pool_id"), *_stamped(), *_text("body"), _key("nodes", "id"))
    for table in ("autoscale_runs", "samples"):
        time = sa.Column("time", sa.Double, nullable=False)
        op.create_table(table, *_text("pool_id"), time, *_text("body"), _key(table, "pool_id", "time"))
        op.create_index(f"{table}_by_time", table, ["time"])
    op.create_table(
        "jobs",
        *_text("id", "pool_id"),
        *_text("schedule_id", optional=True),
        sa.Column("priority", sa.Integer, nullable=False),
        *_stamped(),
        *_text("body"),
        _key("jobs", "id"),
    )
    op.create_table(
        "tasks",
        *_text("job_id", "id"),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        *_stamped(),
        *_text("body"),
        _key("tasks", "job_id", "id"),
    )
    op.create_table("job_schedules", *_text("id"), *_stamped(), *_text("body"), _key("job_schedules", "id"))
    op.create_table(
        "applications",
        *_text("id", "version"),
        sa.Column("created", sa.Double, nullable=False),
        *_text("body"),
        _key("applications", "id", "version"),
    )
    op.create_table(
        "outputs",
        *_text("owner", "parent_id", "id", "stream"),
        sa.Column("size", sa.BigInteger, nullable=False),
        *_text("file", optional=True),
        sa.Column("data", sa.LargeBinary, nullable=True),
        *_text("body"),
        _key("outputs", "owner", "parent_id", "id", "stream"),
    )

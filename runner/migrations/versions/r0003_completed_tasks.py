"""Completed tasks leave memory, so columns tell what they came to; what jobs do on nodes beside their tasks."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("tasks", sa.Column("done", sa.Integer, nullable=True))
    op.add_column("tasks", sa.Column("cost", sa.Double, nullable=True))
    op.add_column("tasks", sa.Column("unpriced_seconds", sa.Double, nullable=True))
    _fill()
    op.create_index("tasks_by_done", "tasks", ["done", "job_id"])
    op.create_table(
        "job_nodes",
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("node_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("modified", sa.Double, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("job_id", "node_id", name="job_nodes_key"),
    )


def _fill() -> None:
    """The records of before know neither the columns nor `slots` and `satisfies`."""
    tasks = sa.table("tasks", *map(sa.column, ("job_id", "id", "done", "cost", "unpriced_seconds", "body")))
    c, connection = tasks.c, op.get_bind()
    change = (
        sa.update(tasks)
        .where(c.job_id == sa.bindparam("of_job"), c.id == sa.bindparam("of_id"))
        .values({name: sa.bindparam(f"new_{name}") for name in ("done", "cost", "unpriced_seconds", "body")})
    )
    keys = [tuple(row) for row in connection.execute(sa.select(c.job_id, c.id))]
    for job_id, task_id in keys:
        body = connection.execute(sa.select(c.body).where(c.job_id == job_id, c.id == task_id)).scalar_one()
        record = json.loads(body)
        record["slots"] = record["spec"].get("requiredSlots", 1)
        done = None
        if record.get("state") == "completed":
            succeeded = record.get("result") == "success"
            done = 3 if succeeded else 0
            record["satisfies"] = succeeded
        values = {
            "of_job": job_id,
            "of_id": task_id,
            "new_done": done,
            "new_cost": record.get("cost", 0.0),
            "new_unpriced_seconds": record.get("unpriced_seconds", 0.0),
            "new_body": json.dumps(record),
        }
        connection.execute(change, values)

"""Ids of what is gone on purpose, and is not to be run again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "gone",
        *(sa.Column(name, sa.Text, nullable=False) for name in ("job_id", "task_id", "body")),
        sa.PrimaryKeyConstraint("job_id", "task_id", name="gone_key"),
    )

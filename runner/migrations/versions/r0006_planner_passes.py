"""What the planner did, and why. (Autoscale runs hold more than before; that needs no other columns.)"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "planner_passes",
        sa.Column("pool_id", sa.Text, nullable=False),
        sa.Column("time", sa.Double, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("pool_id", "time", name="planner_passes_key"),
    )
    op.create_index("planner_passes_by_time", "planner_passes", ["time"])

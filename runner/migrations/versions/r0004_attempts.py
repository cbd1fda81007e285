"""Outputs are kept by attempt. Those of before have none: 0."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_COLUMNS = ("owner", "parent_id", "id", "stream", "size", "file", "data", "body")
_KEY = ("owner", "parent_id", "id", "attempt", "stream")


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.add_column("outputs", sa.Column("attempt", sa.Integer, nullable=False, server_default="0"))
        op.alter_column("outputs", "attempt", server_default=None)
        op.drop_constraint("outputs_key", "outputs")
        op.create_primary_key("outputs_key", "outputs", list(_KEY))
        return
    # SQLite changes no keys
    op.rename_table("outputs", "former_outputs")
    op.create_table(
        "outputs",
        *(sa.Column(name, sa.Text, nullable=False) for name in ("owner", "parent_id", "id")),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("file", sa.Text, nullable=True),
        sa.Column("data", sa.LargeBinary, nullable=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint(*_KEY, name="outputs_key"),
    )
    former, outputs = (
        sa.table(name, *map(sa.column, (*_COLUMNS, "attempt"))) for name in ("former_outputs", "outputs")
    )
    rows = sa.select(*(former.c[name] for name in _COLUMNS), sa.literal_column("0"))
    op.execute(sa.insert(outputs).from_select([*_COLUMNS, "attempt"], rows))
    op.drop_table("former_outputs")

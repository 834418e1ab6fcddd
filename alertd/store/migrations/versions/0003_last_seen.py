"""When devices were last heard; and a lane for supervisory signals, between an incident's last words and troubles."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

LANES = "UPDATE notification SET lane = lane + 1 WHERE lane >= 4"
"""Trouble, routine and drill are one further back."""


def upgrade() -> None:
    op.create_table(
        "last_seen",
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("seen_us", sa.BigInteger(), nullable=False),
        sa.Column("schema", sa.Integer(), nullable=False),
        sa.Column("blob", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("device_id"),
        sqlite_with_rowid=False,
    )
    op.execute(LANES)

"""When a press was known, and when a message is no longer true, in boot time, too: the clock on the wall is set."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("cause", sa.Column("boot_us", sa.BigInteger(), nullable=True))
    op.add_column("cause", sa.Column("boot_id", sa.Text(), nullable=True))
    op.add_column("notification", sa.Column("expires_boot_us", sa.BigInteger(), nullable=True))
    op.add_column("notification", sa.Column("expires_boot_id", sa.Text(), nullable=True))

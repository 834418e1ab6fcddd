"""When a press was known, and when a message is no longer true, in boot time, too: the clock on the wall is set."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_MATTERS = "state IN ('queued', 'claimed', 'unknown', 'accepted', 'sent')"
_SAID = {
    "sqlite": {
        "created_boot_us": "json_extract(CAST(blob AS TEXT), '$.created_boot_us')",
        "boot_id": "json_extract(CAST(blob AS TEXT), '$.boot_id')",
    },
    "postgresql": {
        "created_boot_us": "CAST(convert_from(blob, 'UTF8')::json ->> 'created_boot_us' AS bigint)",
        "boot_id": "(convert_from(blob, 'UTF8')::json ->> 'boot_id')",
    },
}
"""What a message of before says of the boot in which it was written."""


def upgrade() -> None:
    op.add_column("cause", sa.Column("boot_us", sa.BigInteger(), nullable=True))
    op.add_column("cause", sa.Column("boot_id", sa.Text(), nullable=True))
    op.add_column("notification", sa.Column("expires_boot_us", sa.BigInteger(), nullable=True))
    op.add_column("notification", sa.Column("expires_boot_id", sa.Text(), nullable=True))
    said = _SAID[op.get_bind().dialect.name]
    op.execute(
        f"""
        UPDATE notification SET expires_boot_us = {said["created_boot_us"]} + expires_us - created_us,
            expires_boot_id = {said["boot_id"]}
        WHERE {_MATTERS} AND {said["created_boot_us"]} IS NOT NULL"""  # noqa: S608 - constants
    )

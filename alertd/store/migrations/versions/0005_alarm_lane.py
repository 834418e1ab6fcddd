"""A lane for what sensors say that is more than a nuisance: before supervisory signals."""

from alembic import op

revision = "0005"
down_revision = "0004"

LANES = "UPDATE notification SET lane = lane + 1 WHERE lane >= 4"
"""Supervisory signals, troubles, routine and drill are one further back."""


def upgrade() -> None:
    op.execute(LANES)

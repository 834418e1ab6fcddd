"""An index for what is under way by boot time: a clock that was set makes nothing young or old."""

from alembic import op
from sqlalchemy import text

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    unsettled = text("state IN ('accepted', 'sent')")
    op.create_index(
        "notification_unsettled_boot",
        "notification",
        ["channel", "expires_boot_id", "expires_boot_us"],
        sqlite_where=unsettled,
        postgresql_where=unsettled,
    )

"""In which order incidents began and ended: no clock says it, for clocks are set."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

NEWEST = 1_000
"""Of so many it matters. A disk that is nearly full need not write all the others anew."""
_NUMBERED = {
    "sqlite": f"""
        UPDATE incident SET seq = rowid WHERE rowid > (SELECT MAX(rowid) FROM incident) - {NEWEST}""",  # noqa: S608
    "postgresql": f"""
        UPDATE incident SET seq = newest.seq FROM (
            SELECT id, {NEWEST} + 1 - row_number() OVER (ORDER BY opened_us DESC) AS seq
            FROM incident ORDER BY opened_us DESC LIMIT {NEWEST}) newest
        WHERE newest.id = incident.id""",  # noqa: S608 - a constant
}
"""As they were written; PostgreSQL does not keep that."""


def upgrade() -> None:
    op.add_column("incident", sa.Column("seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.execute(_NUMBERED[op.get_bind().dialect.name])
    op.create_index("incident_seq", "incident", ["seq"])

"""Migrations, run when a store opens. `upgrade` is the only door; a database newer than this code is refused.

To add one: `versions/NNNN_what.py` with `revision`, `down_revision` and `upgrade`, and the new number in `schema.HEAD`.
There is no downgrade: go back by restoring the backup that was made before.
"""

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection

from alertd.ports import StoreError
from alertd.store import schema

LOCATION = "alertd.store:migrations"


def config(connection: Connection | None = None) -> Config:
    settings = Config()
    settings.set_main_option("script_location", LOCATION)
    settings.set_main_option("path_separator", "os")
    settings.attributes["connection"] = connection
    return settings


def known() -> set[str]:
    """Revisions that this code can bring to `schema.HEAD`."""
    return {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}


def upgrade(connection: Connection, found: str | None) -> None:
    """Bring the database from revision `found` (`None`: empty) to `schema.HEAD`, in the connection's transaction."""
    if found is not None and found not in known():
        raise StoreError(
            f"the database has schema {found}, which is newer than this alertd's ({schema.HEAD})."
            " Install the alertd that wrote it, or restore a backup made by this version."
        )
    try:
        command.upgrade(config(connection), schema.HEAD)
    except CommandError as error:
        raise StoreError(f"the database cannot be migrated from {found} to {schema.HEAD}: {error}") from error

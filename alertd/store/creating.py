"""How an SQLite database comes to have the schema of this alertd: made anew, or brought there by migrations.

Owns the blank copy from which one can be made without reading migrations. Never touches a row, nor a database that
another alertd holds: its store has taken the lock before.
"""

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import ClassVar

from sqlalchemy import create_engine
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from alertd.ports import StoreError, StoreFullError
from alertd.store import schema
from alertd.store.readers import begin_by_hand
from alertd.store.sqlite_session import SqliteSession

MAY_WRITE = "Let this user write there, or set another daemon.state_dir (or daemon.store_url)."


class Blank:
    """An empty database of our schema, as this process first met it."""

    content: ClassVar[bytes | None] = None

    @classmethod
    def keep(cls, session: SqliteSession) -> None:
        """Of the first database that was brought up to date."""
        if cls.content is None:
            cls.content = _blank_copy(session)


def create(path: Path) -> None:
    """Names and numbers are for this user only. A new database is a copy of a blank one where there is one: what
    stands in for a failing disk must not have to read migrations from it."""
    blank = Blank.content
    try:
        if blank is None or (path.exists() and path.stat().st_size > 0):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            return
        draft = path.with_name(path.name + ".new")
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(blank)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        words = f"{path} cannot be made: {error.strerror}"
        raise (StoreFullError(words) if full else StoreError(f"{words}. {MAY_WRITE}")) from error


def migrate(session: SqliteSession) -> None:
    """Raises `sqlite3.Error` as well as `StoreError`."""
    found = None
    if session.rows("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"):
        found = next((row[0] for row in session.rows("SELECT version_num FROM alembic_version")), None)
    if found == schema.HEAD:
        return
    from alertd.store import migrations  # noqa: PLC0415 - half of a start's time, needed once a version

    engine = _writing_engine(session.connection)
    try:
        with engine.begin() as connection:
            migrations.upgrade(connection, found)
    except DBAPIError as error:
        original = error.orig
        raise (original if isinstance(original, sqlite3.Error) else sqlite3.Error(str(error))) from error


def _blank_copy(session: SqliteSession) -> bytes:
    """The schema of this database with no rows but its version."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as blank:
        for (statement,) in session.rows("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"):
            blank.execute(statement)
        blank.execute("INSERT INTO alembic_version VALUES (?)", (schema.HEAD,))
        return blank.serialize()


def _writing_engine(connection: sqlite3.Connection) -> Engine:
    """SQLAlchemy over the writer's own connection, for migrations: one transaction, or nothing."""
    from sqlalchemy.pool import StaticPool  # noqa: PLC0415 - only where a migration runs

    return begin_by_hand(create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool))

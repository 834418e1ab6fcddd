"""A database as the release before boot times wrote it: schema 0003, and messages that say when they were born."""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
from alembic import command
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from alertd.model.anchor import Now
from alertd.model.notification import NotificationRow
from alertd.model.timer import Timer
from alertd.store import migrations, rows, schema, sql
from alertd.store.rows import Moment
from alertd.testing.store_values import OAK, SECOND_US, incident, queued, timer
from alertd.testing.store_values import text as message

LIFE_S = 300


def write(connection: Connection, now: Now) -> None:
    """A press, its open incident, a text that waits for five minutes and a timer of half a minute."""
    command.upgrade(migrations.config(connection), "0003")
    moment = Moment(
        owner="old", boot_id=now.boot_id, boot_us=now.boot_us, wall_us=now.wall_us, lease_us=0, lease_until_us=0
    )
    content = message("ntf-1", created_us=now.wall_us, expires_us=now.wall_us + LIFE_S * SECOND_US)
    waits = _waits(queued(content), moment, now)
    runs: Timer = timer("t-1", delay_s=30)
    columns = [name for name in sql.columns(schema.incident) if name != "seq"]
    _insert(connection, "incident", dict(zip(columns, rows.incident_row(incident(1)), strict=True)))
    _insert(connection, "cause", {"id": "press-1", "site_id": OAK, "at_us": now.wall_us})
    _insert(connection, "timer", dict(zip(sql.columns(schema.timer), rows.timer_row(runs, moment), strict=True)))
    _insert(connection, "notification", waits)


def _waits(row: NotificationRow, moment: Moment, now: Now) -> dict[str, object]:
    found = dict(zip(sql.columns(schema.notification), rows.notification_row(row, moment, claimed=False), strict=True))
    del found["expires_boot_us"], found["expires_boot_id"]
    said = msgspec.json.decode(found["blob"])
    del said["expires_boot_us"]
    found["blob"] = msgspec.json.encode(said | {"created_boot_us": now.boot_us, "boot_id": now.boot_id})
    return found


def _insert(connection: Connection, table: str, values: dict[str, object]) -> None:
    marks = ", ".join(f":{name}" for name in values)
    connection.execute(text(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"), values)  # noqa: S608


def stopped_database(path: Path, now: Now) -> None:
    """In a file, as a clean stop leaves it: in WAL mode, without a log."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as made:
        made.execute("PRAGMA journal_mode = WAL")
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with engine.begin() as connection:
        write(connection, now)
    engine.dispose()
    assert not path.with_name(path.name + "-wal").exists()

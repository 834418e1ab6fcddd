"""The schema that migrations make is the one the code declares; a newer one is refused."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, text

from alertd.model.decision import Decision
from alertd.model.events import ClockStepped
from alertd.model.ids import DISTRICT
from alertd.model.notification import Lane
from alertd.ports import StoreError
from alertd.store import migrations, open_store, rows, schema, sql
from alertd.store.creating import Blank
from alertd.store.sqlite import SqliteStore
from alertd.testing.store_contract import World
from alertd.testing.store_values import DAY_US, SECOND_US, START_WALL_US, TestClock, incident
from tests.store import older_release


@pytest.fixture(autouse=True)
def no_blank_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Blank, "content", None)


def differences(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), schema.metadata))


def index_conditions(engine: Engine, query: str) -> dict[str, bool]:
    with engine.connect() as connection:
        return {name: "WHERE" in (definition or "") for name, definition in connection.execute(text(query))}


def test_head_is_the_newest_migration() -> None:
    assert ScriptDirectory.from_config(migrations.config()).get_current_head() == schema.HEAD


def test_sqlite_migrated_from_empty_is_the_declared_schema(quick_path: Path) -> None:
    store = SqliteStore(quick_path / "alertd.db", ballast_bytes=0)
    store.open("daemon", TestClock())
    store.close()
    engine = create_engine(f"sqlite:///{quick_path}/alertd.db")
    declared = create_engine(f"sqlite:///{quick_path}/declared.db")
    schema.metadata.create_all(declared)

    assert differences(engine) == []
    everything = "SELECT name, sql FROM sqlite_master WHERE type IN ('index', 'table') AND name NOT LIKE '%alembic%'"
    assert index_conditions(engine, everything) == index_conditions(declared, everything)
    rowids = "SELECT name, sql FROM sqlite_master WHERE sql LIKE '%WITHOUT ROWID%'"
    assert index_conditions(engine, rowids) == index_conditions(declared, rowids)
    engine.dispose()
    declared.dispose()


@pytest.mark.slow
def test_postgres_migrated_from_empty_is_the_declared_schema(postgres_url: str) -> None:
    from alertd.store.postgres import PostgresStore

    store = PostgresStore(postgres_url)
    store.open("daemon", TestClock())
    store.close()
    engine = create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"))

    assert differences(engine) == []
    engine.dispose()


def test_a_newer_schema_is_refused_and_left_alone(quick_path: Path) -> None:
    path = quick_path / "alertd.db"
    store = SqliteStore(path, ballast_bytes=0)
    store.open("daemon", TestClock())
    store.close()
    with closing(sqlite3.connect(path)) as newer, newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(StoreError, match=r"schema 9999.*newer than this alertd.*Install the alertd that wrote it"):
        SqliteStore(path, ballast_bytes=0).open("daemon", TestClock())
    with closing(sqlite3.connect(path)) as newer:
        assert newer.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)


def test_a_migration_that_fails_leaves_nothing_behind(quick_path: Path) -> None:
    path = quick_path / "alertd.db"
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE told (in_the_way TEXT)")  # the last but one table that the migration makes
    for _ in range(2):
        with pytest.raises(StoreError, match="told"):
            SqliteStore(path, ballast_bytes=0).open("daemon", TestClock())
    with closing(sqlite3.connect(path)) as there, there:
        assert [row[0] for row in there.execute("SELECT name FROM sqlite_master WHERE type = 'table'")] == ["told"]
        there.execute("DROP TABLE told")

    store = SqliteStore(path, ballast_bytes=0)
    store.open("daemon", TestClock())
    store.close()


def test_lanes_of_yesterdays_messages_make_room_for_supervisory_signals_and_alarms(quick_path: Path) -> None:
    """Lanes 4 to 6 were trouble, routine and drill; then 4 was supervisory; now it is alarm."""
    path = quick_path / "alertd.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        settings = migrations.config(connection)
        command.upgrade(settings, "0002")
        columns = list(connection.execute(text("SELECT * FROM notification")).keys())
        for lane in range(7):
            values: dict[str, object] = {
                name: 0 if name.endswith("_us") or name in ("attempt", "epoch", "schema") else "" for name in columns
            }
            values |= {"id": f"n-{lane}", "lane": lane, "blob": b"{}"}
            marks = ", ".join(f":{name}" for name in columns)
            connection.execute(text(f"INSERT INTO notification ({', '.join(columns)}) VALUES ({marks})"), values)  # noqa: S608
    with engine.begin() as connection:
        migrations.upgrade(connection, "0002")
        found = {row.id: row.lane for row in connection.execute(text("SELECT id, lane FROM notification"))}
    engine.dispose()
    assert found == {
        "n-0": 0,
        "n-1": 1,
        "n-2": 2,
        "n-3": 3,
        "n-4": Lane.TROUBLE,
        "n-5": Lane.ROUTINE,
        "n-6": Lane.DRILL,
    }


def incidents_of_before(connection: Connection) -> None:
    """Three of the release before; a clock was set back before the last was written."""
    command.upgrade(migrations.config(connection), "0006")
    columns = [name for name in sql.columns(schema.incident) if name != "seq"]
    marks = ", ".join(f":{name}" for name in columns)
    for number, opened_us in ((3, 100), (1, 300), (2, 200)):
        row = rows.incident_row(incident(number, opened_us=START_WALL_US + opened_us, closed_us=START_WALL_US))
        values = dict(zip(columns, row, strict=True))
        connection.execute(text(f"INSERT INTO incident ({', '.join(columns)}) VALUES ({marks})"), values)  # noqa: S608
    migrations.upgrade(connection, "0006")


def ordered(connection: Connection) -> list[str]:
    found = connection.execute(text("SELECT id FROM incident WHERE seq > 0 ORDER BY seq"))
    return [row.id for row in found]


def test_incidents_of_before_are_in_the_order_in_which_they_were_written(quick_path: Path) -> None:
    engine = create_engine(f"sqlite:///{quick_path}/alertd.db")
    with engine.begin() as connection:
        incidents_of_before(connection)
        assert ordered(connection) == ["inc-3", "inc-1", "inc-2"], "a clock made the order"
    engine.dispose()


@pytest.mark.slow
def test_incidents_of_before_are_in_the_order_of_their_beginnings_on_postgres(postgres_url: str) -> None:
    engine = create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        incidents_of_before(connection)
        assert ordered(connection) == ["inc-3", "inc-2", "inc-1"]
    engine.dispose()


def assert_waits_as_long_as_it_would_have(world: World) -> None:
    """The release before knew it by boot time, too."""
    world.clock.advance(20)
    world.clock.wall_us += DAY_US
    assert [claim.notification.id for claim in world.claim({"sms": 1})] == ["ntf-1"], "the upgrade threw a text away"
    world.commit(Decision(), event=ClockStepped(site_id=DISTRICT, step_us=DAY_US))
    left_us = world.row("ntf-1").notification.expires_us - world.clock.wall_us
    assert round(left_us / SECOND_US) == older_release.LIFE_S - 20, "after the next reboot it is thrown away"
    world.close()


def test_a_text_that_waits_over_an_upgrade_outlives_a_step_of_the_clock(quick_path: Path) -> None:
    path = quick_path / "alertd.db"
    older_release.stopped_database(path, TestClock().now())
    assert_waits_as_long_as_it_would_have(World(lambda: SqliteStore(path, ballast_bytes=0)))


@pytest.mark.slow
def test_a_text_that_waits_over_an_upgrade_of_postgres_outlives_a_step_of_the_clock(postgres_url: str) -> None:
    engine = create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        older_release.write(connection, TestClock().now())
    engine.dispose()
    assert_waits_as_long_as_it_would_have(World(lambda: open_store(postgres_url)))

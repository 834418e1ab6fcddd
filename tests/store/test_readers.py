"""Short questions to SQLite beside its writer: from any thread, over few connections, and never over a broken one."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from alertd.ports import StoreError
from alertd.store import readers
from alertd.store.readers import IDLE_READERS_MAX, Readers

AT_ONCE = IDLE_READERS_MAX + 3


@pytest.fixture
def database(quick_path: Path) -> Path:
    path = quick_path / "alertd.db"
    with sqlite3.connect(path) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("CREATE TABLE word (word TEXT)")
        writer.execute("INSERT INTO word VALUES ('committed')")
    writer.close()
    return path


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[sqlite3.Connection]:
    """Every connection that was made, in order."""
    made: list[sqlite3.Connection] = []
    really = readers.open_reading

    def noting(path: Path, more: str = "") -> sqlite3.Connection:
        made.append(really(path, more))
        return made[-1]

    monkeypatch.setattr(readers, "open_reading", noting)
    return made


@pytest.fixture
def asking(database: Path) -> Iterator[Readers]:
    asking = Readers(database)
    yield asking
    asking.close()


def is_open(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return False
    return True


def test_a_connection_is_used_again(asking: Readers, opened: list[sqlite3.Connection]) -> None:
    answers = [asking.ask("SELECT word FROM word WHERE word = ?", ("committed",)) for _ in range(3)]

    assert answers == [[("committed",)]] * 3
    assert len(opened) == 1


def test_an_answer_holds_what_was_committed_by_then(database: Path, asking: Readers) -> None:
    asking.ask("SELECT word FROM word", ())
    with sqlite3.connect(database) as writer:
        writer.execute("INSERT INTO word VALUES ('later')")
    writer.close()

    assert asking.ask("SELECT word FROM word", ()) == [("committed",), ("later",)]


def test_many_ask_at_once_and_few_connections_are_kept(
    asking: Readers, opened: list[sqlite3.Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    together, really = threading.Barrier(AT_ONCE, timeout=5), readers.open_reading

    def meeting(path: Path, more: str = "") -> sqlite3.Connection:
        connection = really(path, more)
        connection.create_function("meet", 0, lambda: together.wait() >= 0)
        return connection

    monkeypatch.setattr(readers, "open_reading", meeting)
    answers: list[list[tuple[object, ...]]] = []
    threads = [threading.Thread(target=lambda: answers.append(asking.ask("SELECT meet()", ()))) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [[(1,)]] * AT_ONCE
    assert sum(map(is_open, opened)) <= IDLE_READERS_MAX


def test_a_connection_that_failed_is_not_asked_again(asking: Readers, opened: list[sqlite3.Connection]) -> None:
    with pytest.raises(StoreError, match="the database cannot be read: no such table"):
        asking.ask("SELECT word FROM nowhere", ())

    assert asking.ask("SELECT word FROM word", ()) == [("committed",)]
    assert [is_open(connection) for connection in opened] == [False, True]


def test_a_database_that_is_not_there_is_an_error_of_the_store(quick_path: Path) -> None:
    with pytest.raises(StoreError, match="the database cannot be read"):
        Readers(quick_path / "nowhere.db").ask("SELECT 1", ())


def test_nothing_is_open_when_it_was_closed(asking: Readers, opened: list[sqlite3.Connection]) -> None:
    asking.ask("SELECT 1", ())
    asking.close()
    asking.ask("SELECT 1", ())  # a thread that was late

    assert [is_open(connection) for connection in opened] == [False, False]


def test_nothing_can_be_written(asking: Readers) -> None:
    with pytest.raises(StoreError, match="readonly"):
        asking.ask("DELETE FROM word", ())

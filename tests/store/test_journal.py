"""Evidence: what was changed is named, what was erased still verifies."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from alertd.model.decision import Decision
from alertd.model.ids import IncidentId
from alertd.ports import StoreError
from alertd.store.sqlite import SqliteStore
from alertd.testing.store_contract import World
from alertd.testing.store_values import OAK, entry


@pytest.fixture
def world(quick_path: Path) -> Iterator[World]:
    world = World(lambda: SqliteStore(quick_path / "alertd.db", ballast_bytes=0))
    for number in range(1, 6):
        world.commit(Decision(entries=(entry(f"line {number}"),)))
        world.clock.advance(60)
    yield world
    world.close()


def tamper(quick_path: Path, statement: str) -> None:
    with closing(sqlite3.connect(quick_path / "alertd.db")) as intruder, intruder:
        assert intruder.execute(statement).rowcount > 0


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE journal SET reason = 'next_step' WHERE seq = 3", "entry 3 is not as it was written"),
        ("UPDATE journal SET at_us = at_us + 1 WHERE seq = 1", "entry 1 is not as it was written"),
        ("UPDATE journal SET incident_id = NULL WHERE seq = 4", "entry 4 is not as it was written"),
        ("UPDATE journal SET hash = prev_hash WHERE seq = 2", "entry 2 is not as it was written"),
        (
            "UPDATE journal_payload SET blob = CAST(replace(CAST(blob AS TEXT), 'line 2', '') AS BLOB) WHERE seq = 2",
            "text of entry 2 is not as it was written",
        ),
        ("DELETE FROM journal WHERE seq = 2", "entry 2 is missing"),
        ("DELETE FROM journal WHERE seq = 5", "entry 5 is missing"),
        ("DELETE FROM journal", "entry 1 is missing"),
    ],
)
def test_whatever_is_changed_is_named(world: World, quick_path: Path, statement: str, named: str) -> None:
    assert world.store.verify_journal(OAK) == 5
    tamper(quick_path, statement)

    with pytest.raises(StoreError, match=named):
        world.store.verify_journal(OAK)


def test_erased_words_still_verify_and_cannot_be_guessed(world: World, quick_path: Path) -> None:
    store = world.store
    assert isinstance(store, SqliteStore)
    assert store.erase_payloads(OAK, world.clock.wall_us - 150 * 1_000_000) == 3

    assert store.verify_journal(OAK) == 5
    texts = [line.entry and line.entry.text for line in store.read_timeline(IncidentId("inc-1"))]
    assert texts == [None, None, None, "line 4", "line 5"]
    with closing(sqlite3.connect(quick_path / "alertd.db")) as reader:
        hashes = [row[0] for row in reader.execute("SELECT payload_hash FROM journal")]
    world.commit(Decision(entries=(entry("line 1"),)))
    with closing(sqlite3.connect(quick_path / "alertd.db")) as reader:
        again = reader.execute("SELECT payload_hash FROM journal WHERE seq = 6").fetchone()[0]
    assert again not in hashes, "the same words have the same hash: erased ones could be guessed"

"""Brings a backup back in place of the SQLite database, while no daemon runs.

The daemon's own lock is held from the first look to the last rename. Must never: delete what was there before (it is
kept beside, with its log), take a copy that was not proven, or leave unsaid what is lost or begins again.
"""

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from alertd.ports import StoreError, StoreLockedError
from alertd.store import backup, damage, migrations
from alertd.store.backup import BackupError, Contents
from alertd.store.ballast import free_bytes
from alertd.store.lock_file import LockFile

MARK = damage.BEFORE_RESTORE
_CHUNK_BYTES = 1024 * 1024


class Lost(Struct, frozen=True, kw_only=True):
    """What the database that is there has, and the copy has not."""

    why_unknown: str = ""
    """Not empty: the database that is there cannot be compared, and this says why."""
    entries: int = 0
    """Journal entries, of all sites."""
    incidents: tuple[str, ...] = ()
    """Headlines of incidents opened since."""
    reopened: tuple[str, ...] = ()
    """Headlines of incidents that were closed since: the copy has them open, and the daemon goes on with them."""


class Restoring:
    """Between the first look and the deed. `carry_out` once, or not at all."""

    def __init__(self, contents: Contents, database: Path, spare: Path) -> None:
        self.contents = contents
        self.lost = _compare(contents, database)
        self._database = database
        self._spare = spare

    @property
    def in_memory(self) -> Path | None:
        """Records that were in memory while the disk was full: newer than anything on it. They are set aside, too."""
        return self._spare if self._spare.exists() else None

    def carry_out(self, now: datetime) -> tuple[Path, ...]:
        """What was set aside. Raises `BackupError`; what was there is then still there, or beside under `MARK`.

        From the moment the proven copy has its own name, a power cut is no harm: the next start goes on from there."""
        wall_us = int(now.timestamp() * 1_000_000)
        proven = self._database.with_name(self._database.name + damage.RESTORED)
        draft = proven.with_name(proven.name + ".partial")
        try:
            _copy(self.contents.path, draft, self._database.parent)
            aside: list[Path] = []
            if self._spare.exists():
                aside.append(self._spare.rename(f"{self._spare}{MARK}{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"))
            draft.rename(proven)
            damage.sync_directory(proven.parent)
            if (database := damage.finish_restore(self._database, wall_us)) is not None:
                aside.append(database)
        except OSError as error:
            goes_on = " The next start of the daemon finishes it." if proven.exists() else ""
            raise BackupError(f"{self._database} cannot be written: {error.strerror or error}.{goes_on}") from error
        finally:
            draft.unlink(missing_ok=True)
        return tuple(aside)


@contextmanager
def restoring(copy: Path, database: Path, spare: Path) -> Iterator[Restoring]:
    """Proves the copy and keeps the daemon out meanwhile. `spare`: the store's directory in memory.

    Raises `StoreLockedError` while a daemon runs, `BackupError` if the copy must not be used."""
    if not database.parent.is_dir():
        raise BackupError(f"there is no directory {database.parent}: make it, owned by the daemon's user")
    lock = LockFile(database.with_name(database.name + ".lock"))
    try:
        lock.take("alertd restore")
    except StoreLockedError as error:
        raise StoreLockedError(f"{error} Nothing was restored: systemctl stop alertd") from None
    except OSError as error:
        raise BackupError(f"{database.parent} cannot be written: {error.strerror}. Run this as its owner.") from error
    try:
        contents = backup.examine(copy)
        if contents.schema not in migrations.known():
            raise BackupError(
                f"{copy} was written by a newer alertd (schema {contents.schema}): install that one first"
            )
        _keep_owner(database.with_name(database.name + ".lock"), database.parent)
        yield Restoring(contents, database, spare)
    finally:
        lock.release()


def _copy(source: Path, draft: Path, directory: Path) -> None:
    """The very bytes that were proven: read back and compared, for a full or failing disk may lie."""
    if free_bytes(directory) < source.stat().st_size + _CHUNK_BYTES:
        raise BackupError(f"{directory} has no room for {source.stat().st_size >> 20} MiB: free some")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with source.open("rb") as reading, os.fdopen(descriptor, "wb") as writing:
        shutil.copyfileobj(reading, writing, _CHUNK_BYTES)
        writing.flush()
        os.fsync(writing.fileno())
    _keep_owner(draft, directory)
    with source.open("rb") as one, draft.open("rb") as other:
        if hashlib.file_digest(one, "sha256").digest() != hashlib.file_digest(other, "sha256").digest():
            raise BackupError(f"{draft} is not what was copied to it: look at the disk of {directory}")


def _keep_owner(path: Path, directory: Path) -> None:
    """Run by root, the file is the daemon's all the same."""
    if os.geteuid() == 0:
        status = directory.stat()
        os.chown(path, status.st_uid, status.st_gid)


def _compare(contents: Contents, database: Path) -> Lost:
    if not database.exists():
        return Lost(why_unknown="there is no database now")
    try:
        with (
            closing(backup.open_reading(database)) as now,
            closing(backup.open_reading(contents.path, "&immutable=1")) as then,
        ):
            return _lost(now, then, contents)
    except (sqlite3.Error, StoreError) as error:
        return Lost(why_unknown=f"the database that is there cannot be read ({error})")


def _lost(now: sqlite3.Connection, then: sqlite3.Connection, contents: Contents) -> Lost:
    entries = 0
    for site_id, head in now.execute("SELECT site_id, head_seq FROM site_row"):
        known = contents.heads.get(site_id, 0)
        if known > head or _hash_at(now, site_id, known) != _hash_at(then, site_id, known):
            why = f"the database that is there is another one, or older than the copy: its journal of {site_id} differs"
            return Lost(why_unknown=why)
        entries += head - known
    before = dict(then.execute("SELECT id, state FROM incident").fetchall())
    incidents = now.execute("SELECT id, state, headline FROM incident ORDER BY opened_us").fetchall()
    return Lost(
        entries=entries,
        incidents=tuple(headline for id_, _, headline in incidents if id_ not in before),
        reopened=tuple(h for id_, state, h in incidents if before.get(id_) == "open" and state != "open"),
    )


def _hash_at(connection: sqlite3.Connection, site_id: str, sequence: int) -> str:
    if sequence == 0:
        return ""
    query = "SELECT hash FROM journal WHERE site_id = ? AND seq = ?"
    found = connection.execute(query, (site_id, sequence)).fetchone()
    return "" if found is None else str(found[0])

"""Backups of the SQLite database: made while the daemon runs, proven before they are called good, and brought back.

A copy is one snapshot, read over a read-only connection: presses are committed meanwhile as ever. It is good only when
SQLite finds its pages sound and every site's journal chain verifies. Must never: write to the running database, leave
a half-made file under a good name, delete a copy before a newer one is proven, or fill the disk that presses need.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from alertd.model.ids import SiteId
from alertd.ports import StoreError
from alertd.store import damage
from alertd.store.ballast import free_bytes
from alertd.store.journal import Head
from alertd.store.readers import reading_engine
from alertd.store.reading import Reader
from alertd.store.sqlite_session import BUSY_MS

ROOM_LEFT_BYTES = 256 * 1024 * 1024
"""What a backup must leave free where it is written; it may be the disk that the next press is written to."""
SUM_SUFFIX = ".sha256"
"""Beside each copy, as `sha256sum --check` reads it: damage that SQLite cannot see is found, too."""
_PATTERN = "alertd-*Z.db"
_HEADER = b"SQLite format 3\x00"
_FOUND_MAX = 3
"""Findings of SQLite's own check that an error quotes."""


class BackupError(StoreError):
    """No backup was made, or this one must not be used. The message says why, and what to do."""


class Contents(Struct, frozen=True, kw_only=True):
    """What a proven copy holds. Times are wall clock, microseconds since 1970."""

    path: Path
    size_bytes: int
    schema: str
    heads: dict[str, int]
    """By site: entries of its journal, all of which verify."""
    incidents: int
    open_incidents: tuple[str, ...]
    """Headlines of those that were open when it was made."""
    notifications: int
    latest_us: int | None
    """The last journal entry; `None`: nothing happened yet."""

    @property
    def entries(self) -> int:
        return sum(self.heads.values())


# --- making one ------------------------------------------------------------------------------------------------------


def back_up(database: Path, target: Path, *, now: datetime, keep: int) -> tuple[Contents, tuple[Path, ...]]:
    """A proven copy of the database; `target` is a new file, or a directory in which the `keep` newest stay.

    Returns what it holds, and the older copies that were removed. Raises `BackupError`; then a good new copy is not
    there, or (it says so) an old one could not be removed."""
    if not database.is_file():
        raise BackupError(f"there is no database {database}: the daemon makes it when it first starts")
    into_directory = target.is_dir()
    wanted = target / f"alertd-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.db" if into_directory else target
    if wanted.exists():
        raise BackupError(f"{wanted} is there already: name a file that is not, or a directory")
    if not wanted.parent.is_dir():
        raise BackupError(f"there is no directory {wanted.parent}: make it, or name another")
    needed = database.stat().st_size + ROOM_LEFT_BYTES
    if free_bytes(wanted.parent) < needed:
        raise BackupError(f"{wanted.parent} has no room: {needed >> 20} MiB must be free, so that presses keep theirs")
    try:
        with _draft(wanted) as draft:
            _copy(database, draft)
            contents = examine(draft)
            _note_sum(draft, wanted)
            draft.rename(wanted)
            damage.sync_directory(wanted.parent)
    except OSError as error:
        raise BackupError(f"{wanted} cannot be written: {error.strerror or error}") from error
    removed = _forget(wanted.parent, keep) if into_directory else ()
    return _named(contents, wanted), removed


@contextmanager
def _draft(wanted: Path) -> Iterator[Path]:
    """A file of its own, locked: of two backups at one moment the second refuses. What a killed one left is reused."""
    draft = wanted.with_name(".alertd-backup.partial")
    descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(descriptor, draft)
        os.fchmod(descriptor, 0o600)
        os.ftruncate(descriptor, 0)
        try:
            yield draft
        finally:
            if _is_still(descriptor, draft):  # else it has its good name
                draft.unlink()
    finally:
        os.close(descriptor)


def _lock(descriptor: int, draft: Path) -> None:
    """Whoever waited at the door while another finished holds that one's good copy in hand, and must not touch it."""
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_still(descriptor, draft):
            return
    raise BackupError(f"another backup is being written to {draft.parent}: wait for it")


def _is_still(descriptor: int, draft: Path) -> bool:
    with suppress(FileNotFoundError):
        return draft.stat().st_ino == os.fstat(descriptor).st_ino
    return False


def _copy(database: Path, draft: Path) -> None:
    """All pages in one step of SQLite: one snapshot. In several steps it would begin anew with every commit."""
    try:
        with closing(open_reading(database)) as source, closing(sqlite3.connect(draft, isolation_level=None)) as copy:
            copy.execute("PRAGMA synchronous = OFF")  # synced below, once
            source.backup(copy, pages=-1)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
    except sqlite3.Error as error:
        raise BackupError(f"{database} cannot be copied: {error}") from error
    with draft.open("rb") as file:
        os.fsync(file.fileno())


def _note_sum(draft: Path, wanted: Path) -> None:
    with draft.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    descriptor = os.open(_sum_of(wanted), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{digest}  {wanted.name}\n")
        file.flush()
        os.fsync(file.fileno())


def _forget(directory: Path, keep: int) -> tuple[Path, ...]:
    """Names begin with their time, so that the last ones are the newest, whatever a file's date says."""
    old = sorted(directory.glob(_PATTERN))[:-keep]
    for path in old:
        try:
            path.unlink(missing_ok=True)
            _sum_of(path).unlink(missing_ok=True)
        except OSError as error:
            raise BackupError(
                f"the new copy is good, but {path} cannot be removed: {error.strerror}."
                " Remove it, or the disk fills up."
            ) from error
    return tuple(old)


# --- proving one -----------------------------------------------------------------------------------------------------


def examine(path: Path) -> Contents:
    """Every page, every index and every journal entry. Raises `BackupError`. Writes nothing, not even beside it."""
    _look_at(path)
    try:
        with closing(open_reading(path, "&immutable=1")) as connection:
            findings = [row[0] for row in connection.execute("PRAGMA integrity_check")]
            if findings != ["ok"]:
                raise BackupError(f"{path} is damaged: {'; '.join(map(str, findings[:_FOUND_MAX]))}")
            sites = [row[0] for row in connection.execute("SELECT site_id FROM site_row ORDER BY site_id")]
            contents = _count(connection, path)
    except sqlite3.Error as error:
        raise BackupError(f"{path} is damaged, or no database of alertd's: {error}") from error
    reader = Reader(reading_engine(path, "&immutable=1"))
    try:
        for site_id in sites:
            contents.heads[site_id] = reader.verify(SiteId(site_id), Head())
    except BackupError:
        raise
    except StoreError as error:
        raise BackupError(f"{path} is not what alertd wrote: {error}") from error
    finally:
        reader.close()
    return contents


def _look_at(path: Path) -> None:
    try:
        with path.open("rb") as file:
            if file.read(len(_HEADER)) != _HEADER:
                raise BackupError(f"{path} is no backup: it is empty, or no database at all")
            file.seek(0)
            digest = file_digest(file, "sha256").hexdigest() if _sum_of(path).exists() else ""
        noted = _sum_of(path).read_text().split()[:1] if digest else []
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror or error}") from error
    if digest and noted != [digest]:
        raise BackupError(f"{path} is not as it was written: it does not fit {_sum_of(path).name}. Take another copy.")
    if path.with_name(path.name + "-wal").exists():
        raise BackupError(
            f"{path} has a log beside it: it is in use, or was copied by hand and may be torn."
            " Make a copy with: alertd backup FILE"
        )


def _count(connection: sqlite3.Connection, path: Path) -> Contents:
    def one(query: str) -> int:
        return int(connection.execute(query).fetchone()[0] or 0)

    headlines = connection.execute("SELECT headline FROM incident WHERE state = 'open' ORDER BY opened_us").fetchall()
    return Contents(
        path=path,
        size_bytes=path.stat().st_size,
        schema=str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]),
        heads={},
        incidents=one("SELECT count(*) FROM incident"),
        open_incidents=tuple(headline for (headline,) in headlines),
        notifications=one("SELECT count(*) FROM notification"),
        latest_us=one("SELECT max(at_us) FROM journal") or None,
    )


# --- files -----------------------------------------------------------------------------------------------------------


def open_reading(path: Path, more: str = "") -> sqlite3.Connection:
    uri = f"{path.resolve().as_uri()}?mode=ro{more}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_MS / 1000)


def _sum_of(path: Path) -> Path:
    return path.with_name(path.name + SUM_SUFFIX)


def _named(contents: Contents, path: Path) -> Contents:
    return replace(contents, path=path)

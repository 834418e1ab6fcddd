"""`open_store`: from a URL to a store. The one place that knows both databases."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from alertd.ports import Store, StoreError
from alertd.store.ballast import BALLAST_BYTES
from alertd.store.fallback import TMPFS, FallbackStore, spare_directory
from alertd.store.sqlite import SqliteStore
from alertd.store.sqlstore import LEASE_S, random_salt


def open_store(
    url: str,
    *,
    lease_s: float = LEASE_S,
    ballast_bytes: int = BALLAST_BYTES,
    spare_parent: Path = TMPFS,
    salt: Callable[[], str] = random_salt,
) -> Store:
    """The store that `url` names: `sqlite:////var/lib/alertd/alertd.db` or `postgresql://user@host/database`.

    Not opened yet: `Store.open` does that. `lease_s` must exceed every channel's deadline. `spare_parent` is a tmpfs;
    `salt` makes the journal's salts (a simulated world has its own, so that the same seed gives the same chain).
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError(_WHAT_TO_WRITE) from None  # without the URL: it may hold a password
    if parsed.get_backend_name() == "postgresql":
        from alertd.store.postgres import PostgresStore  # noqa: PLC0415 - its driver loads only where it is used

        return PostgresStore(url, lease_s=lease_s, salt=salt)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise StoreError(_WHAT_TO_WRITE)
    path = Path(parsed.database)
    disk = SqliteStore(path, lease_s=lease_s, salt=salt, ballast_bytes=ballast_bytes)
    spare_path = spare_directory(path, spare_parent) / "alertd.db"
    return FallbackStore(disk, SqliteStore(spare_path, lease_s=lease_s, salt=salt, ballast_bytes=0))


_WHAT_TO_WRITE = (
    "the store's URL must be sqlite:////path/to/alertd.db (four slashes: an absolute path)"
    " or postgresql://user@host/database"
)

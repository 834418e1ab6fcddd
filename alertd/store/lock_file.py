"""The lock beside an SQLite database: one process at a time, a daemon or a restore.

Owns the file and who its holder says it is. Never waits, and never takes a lock from a process that lives.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from alertd.ports import StoreLockedError


class LockFile:
    """Held for life; the kernel lets go of it when the process dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take(self, owner: str) -> None:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 200).decode(errors="replace").strip()
            os.close(descriptor)
            raise StoreLockedError(
                f"another alertd ({holder or 'unknown process'}) runs on this database ({self._path} is locked)."
                " Stop it first, or give this one a database of its own."
            ) from None
        self._descriptor = descriptor
        with suppress(OSError):  # on a full disk the lock holds without the name of its holder
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"process {os.getpid()}, {owner}\n".encode())

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

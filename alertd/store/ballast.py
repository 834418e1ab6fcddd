"""The ballast: room on the disk that only an emergency may use.

A file of real (not sparse) bytes beside the database. When the disk is full it is removed first, so that the incident
that is going on can still be written; it is made again once there is room for it and as much again. Never raises.
"""

import os
from contextlib import suppress
from pathlib import Path

BALLAST_BYTES = 16 * 1024 * 1024
CHUNK = bytes(1024 * 1024)


def free_bytes(directory: Path) -> int:
    """Room on the directory's file system for this process; 0 if that cannot be known."""
    try:
        status = os.statvfs(directory)
    except OSError:
        return 0
    return status.f_bavail * status.f_frsize


class Ballast:
    """One file. Its size is what an hour of an incident needs, and more."""

    def __init__(self, path: Path, size: int = BALLAST_BYTES) -> None:
        self._path = path
        self._size = size

    @property
    def is_there(self) -> bool:
        with suppress(OSError):
            return self._path.stat().st_size >= self._size
        return False

    def drop(self) -> bool:
        """Free the room. Was there any?"""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True

    def restore(self) -> bool:
        """Take the room back, if the disk has twice as much. Is it there?"""
        if self._size == 0 or self.is_there:
            return True
        if free_bytes(self._path.parent) < 2 * self._size:
            return False
        try:
            with self._path.open("wb") as file:
                for start in range(0, self._size, len(CHUNK)):
                    file.write(CHUNK[: self._size - start])
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            self.drop()
            return False
        return True

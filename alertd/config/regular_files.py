"""Opens what may lie in a configuration directory. Must never wait: a pipe without a writer, a socket and a device are
refused before anything is read from them.
"""

import os
import stat
from pathlib import Path

_KINDS = (
    (stat.S_ISDIR, "directory"),
    (stat.S_ISFIFO, "pipe"),
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISBLK, "device"),
    (stat.S_ISCHR, "device"),
)


class NotAFileError(OSError):
    """Something that is no regular file stands in its place. `strerror` says what."""

    def __init__(self, kind: str) -> None:
        super().__init__(None, f"is not a file but a {kind}")
        self.kind = kind


def read_regular(path: Path, bytes_max: int) -> bytes:
    """The first bytes of a file, one more than the maximum if there are more. Raises `OSError`."""
    _refuse_others(path.stat())  # before opening: that alone moves a tape, and a socket cannot be opened at all
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
        _refuse_others(os.fstat(stream.fileno()))  # what was put there since
        return stream.read(bytes_max + 1)


def is_there(path: Path) -> bool:
    """Is anything there under this name? A link that leads nowhere is something, and somebody's mistake."""
    return os.path.lexists(path)


def _refuse_others(found: os.stat_result) -> None:
    for is_kind, kind in _KINDS:
        if is_kind(found.st_mode):
            raise NotAFileError(kind)

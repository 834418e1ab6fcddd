"""`Clip`: one announcement as it goes on the wire; and the folder in which clips outlive a restart.

The folder is a cache: a file's name is the hash of everything that the clip was made from, and its first bytes are the
hash of the rest, for the power may go while it is written. Must never: fail a start because the disk is full.
"""

import contextlib
import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

FILES_MAX = 400
"""The oldest beyond these are removed: what a configuration said a year ago."""
_DIGEST_BYTES = 32
_BYTES_A_SECOND = 8_000


class Clip(Struct, frozen=True, kw_only=True):
    """Payload for RTP, both codecs 8000 bytes a second."""

    key: str
    payload_type: int
    payload: bytes

    @property
    def seconds(self) -> float:
        return len(self.payload) / _BYTES_A_SECOND


def key_of(parts: Sequence[str]) -> str:
    """Name of a clip: a hash of what it is made from."""
    digest = sha256()
    for part in parts:
        digest.update(f"{len(part)}:{part};".encode())
    return digest.hexdigest()[:40]


class ClipFolder:
    """`None` as folder: nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def get(self, key: str) -> bytes | None:
        if self._folder is None:
            return None
        try:
            data = (self._folder / key).read_bytes()
        except OSError:
            return None
        payload = data[_DIGEST_BYTES:]
        return payload if payload and sha256(payload).digest() == data[:_DIGEST_BYTES] else None

    def put(self, key: str, payload: bytes) -> None:
        if self._folder is None:
            return
        with contextlib.suppress(OSError):  # then it is rendered again at the next start
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            half = self._folder / f".{key}.{os.getpid()}"
            half.write_bytes(sha256(payload).digest() + payload)
            half.replace(self._folder / key)
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        assert self._folder is not None
        files = [(entry.stat().st_mtime, entry.path) for entry in os.scandir(self._folder) if entry.is_file()]
        for _, path in sorted(files)[:-FILES_MAX]:
            Path(path).unlink(missing_ok=True)
